"""What the sources that one worker serves gave, each in a ring of its own."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.ring import Ring
from stages.messages import StageMessage


class Rings:
    """A ring for each source that one worker serves: a hub has many satellites."""

    def __init__(self, *, keep: float, live: float, history: float) -> None:
        self._sizes = (keep, live, history)
        self._rings: dict[str, Ring] = {}

    def each(self) -> Iterable[Ring]:
        """All of them."""
        return self._rings.values()

    @property
    def unsent(self) -> int:
        """Messages that are to be sent."""
        return sum(ring.unsent for ring in self._rings.values())

    @property
    def pending(self) -> bool:
        """True while something of a stream is not published."""
        return any(ring.pending for ring in self._rings.values())

    @property
    def full(self) -> bool:
        """True when a source that can wait must wait for acknowledgements."""
        return any(ring.full for ring in self._rings.values())

    def append(self, message: StageMessage) -> None:
        """Keep a message."""
        if message.source not in self._rings:
            keep, live, history = self._sizes
            self._rings[message.source] = Ring(keep=keep, live=live, history=history)
        self._rings[message.source].append(message)

    def acknowledge(self, stream: str, position: int, checkpoint: bytes, *, final: bool) -> None:
        """See ``Ring.acknowledge``."""
        for ring in self._rings.values():
            ring.acknowledge(stream, position, checkpoint, final=final)

    def rewind(self) -> int:
        """See ``Ring.rewind``."""
        return sum(ring.rewind() for ring in self._rings.values())

    def skip(self) -> int:
        """See ``Ring.skip``."""
        return sum(ring.skip() for ring in self._rings.values())

    def shed(self) -> int:
        """See ``Ring.shed``."""
        return sum(ring.shed() for ring in self._rings.values())
