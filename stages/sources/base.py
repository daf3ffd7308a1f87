"""What every source of audio is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from stages.messages import SAMPLE_RATE, StageMessage

BLOCK_SAMPLES = SAMPLE_RATE // 10
"""Samples of a block: 100 ms. Shorter ones cost more wake-ups, longer ones delay the endpoint."""

BLOCK_BYTES = 2 * BLOCK_SAMPLES


class Source(Protocol):
    """Audio, cut into blocks whose positions are contiguous within a stream."""

    name: str
    live: bool
    """True: audio comes in real time and may be lost. False: it may be made to wait."""

    def open(self) -> None:
        """Get ready to read; raises SourceError."""

    def read(self, timeout: float) -> Sequence[StageMessage] | None:
        """Wait at most ``timeout`` seconds; [] means nothing yet, None exhausted for good."""

    def close(self) -> Sequence[StageMessage]:
        """Let go of everything; what ends the open stream, if any. May be called again."""


@runtime_checkable
class DistantSource(Source, Protocol):
    """A source whose audio is kept elsewhere until it is published."""

    def acknowledge(self, stream: str, position: int, *, final: bool) -> None:
        """A stream is published up to ``position``, or with ``final`` all of it."""

    def end(self) -> Sequence[StageMessage]:
        """End all streams, but stay open for what is acknowledged of them."""
