"""Which sources are muted and which are listened to, as far as the daemon knows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from pipeline.configuration import Configuration
from pipeline.plan import source_worker
from pipeline.wire import Activity, ControlMessage

FOREVER: Final = math.inf


class Listening:
    """Remembers it, so that a source that is started again is told."""

    def __init__(
        self, configuration: Configuration, send: Callable[[str, ControlMessage], None]
    ) -> None:
        self.push_to_talk = configuration.activation == "push-to-talk"
        self._activities = {source.name: Activity() for source in configuration.sources}
        self._send = send

    @property
    def sources(self) -> list[str]:
        """All names."""
        return list(self._activities)

    def mute(self, source: str, seconds: float | None) -> None:
        """Hear nothing for so long; None: until it is unmuted, 0: unmute."""
        until = FOREVER if seconds is None else time.monotonic() + seconds
        self._change(source, muted_until=until if seconds != 0 else 0.0)

    def trigger(self, source: str, seconds: float) -> None:
        """Listen for so long, where that has to be asked for."""
        self._change(source, listen_until=time.monotonic() + seconds)

    def state(self, source: str) -> str:
        """``listening``, ``waiting`` or ``muted``."""
        activity = self._activities[source]
        now = time.monotonic()
        if now < activity.muted_until:
            return "muted"
        return "waiting" if self.push_to_talk and now >= activity.listen_until else "listening"

    def tell(self, source: str) -> None:
        """Tell a source that was started."""
        self._send(source_worker(source), self._activities[source])

    def tell_all(self) -> None:
        """Tell every source."""
        for source in self._activities:
            self.tell(source)

    def _change(self, source: str, **changes: float) -> None:
        before = self._activities[source]
        self._activities[source] = Activity(
            muted_until=changes.get("muted_until", before.muted_until),
            listen_until=changes.get("listen_until", before.listen_until),
        )
        self.tell(source)
