"""When an utterance begins and ends: pure counting of audio, no clock and no sound library."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

HYSTERESIS: Final = 0.15
"""Speech goes on until its probability is so far below the threshold at which it began."""


class Boundary(Enum):
    """What one more window means."""

    NONE = auto()
    START = auto()
    END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRule:
    """The rule's parameters, in windows."""

    threshold: float
    start: int
    """So many speech windows in a row begin an utterance."""

    silence: int
    """So many windows without speech end it."""

    longest: int
    """So many windows end it in any case."""


class Endpointer:
    """Follows the speech probabilities of one stream."""

    def __init__(self, rule: EndpointRule) -> None:
        self._rule = rule
        self._speaking = False
        self._run = 0
        self._length = 0
        self._trailing = 0

    @property
    def speaking(self) -> bool:
        """True between START and END."""
        return self._speaking

    @property
    def run(self) -> int:
        """Speech windows in a row so far, while no utterance is open."""
        return self._run

    @run.setter
    def run(self, run: int) -> None:
        self._run = run

    @property
    def trailing(self) -> int:
        """Windows since the last speech window of the utterance that is open or has just ended."""
        return self._trailing

    def push(self, probability: float) -> Boundary:
        """Take the next window's speech probability."""
        if not self._speaking:
            self._run = self._run + 1 if probability >= self._rule.threshold else 0
            if self._run < self._rule.start:
                return Boundary.NONE
            self._speaking, self._length, self._trailing = True, self._run, 0
            return Boundary.START
        self._length += 1
        is_speech = probability >= self._rule.threshold - HYSTERESIS
        self._trailing = 0 if is_speech else self._trailing + 1
        if self._trailing >= self._rule.silence or self._length >= self._rule.longest:
            self._speaking = False
            self._run = 0
            return Boundary.END
        return Boundary.NONE
