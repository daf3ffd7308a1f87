"""How long the last utterances took, stage by stage."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

KEPT: Final = 500
"""Utterances that the percentiles are taken over."""


class Latency:
    """Percentiles in milliseconds, by what was waited for.

    ``total`` is the time from the decision that an utterance is over to its event.
    """

    def __init__(self) -> None:
        self._timings: dict[str, deque[float]] = {}
        self._figures: dict[str, float] = {}
        self._stale = False

    def note(self, timings: Mapping[str, float]) -> None:
        """One more utterance was published; these are the milliseconds that it took."""
        self._stale = True
        total = sum(value for name, value in timings.items() if name != "endpoint")
        for name, milliseconds in {**timings, "total": total}.items():
            self._timings.setdefault(name, deque(maxlen=KEPT)).append(milliseconds)

    def figures(self) -> dict[str, float]:
        """``transcribe.p50``, ``.p95`` and ``.p99``, and so on for each timing."""
        if self._stale:
            self._stale = False
            for name, values in self._timings.items():
                ranked = sorted(values)
                for percent in (50, 95, 99):
                    place = min(len(ranked) - 1, len(ranked) * percent // 100)
                    self._figures[f"{name}.p{percent}"] = round(ranked[place], 3)
        return self._figures
