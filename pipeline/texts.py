"""Texts that were put in as if they had been heard, until they are published."""

from __future__ import annotations

import contextlib
from typing import Final

import zmq

from pipeline.lines import Lines
from stages.messages import Transcript

MOST: Final = 1000
"""So many are kept, to be put in again."""


class Texts:
    """What ``intentd say`` gave: no source keeps it, so the daemon does."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._open: dict[str, Transcript] = {}

    def put(self, message: Transcript) -> None:
        """Put a text into the chain. Raises zmq.Again when there is no room."""
        self._lines.inject(message)
        self._open[message.id] = message
        while len(self._open) > MOST:
            del self._open[next(iter(self._open))]

    def note_published(self, identity: str) -> None:
        """It need not be kept any more."""
        self._open.pop(identity, None)

    def put_again(self) -> None:
        """A stage was started again, and may have taken some to its grave."""
        for message in self._open.values():
            with contextlib.suppress(zmq.Again):
                self._lines.inject(message)
