"""Rates with the interval in which they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

RESAMPLES: Final = 1000
SEED: Final = 20
LEVEL: Final = 0.95
"""Share of the resamples that an interval holds."""

_BATCH: Final = 2_000_000
"""Random numbers drawn at a time: bounds the memory that a large set takes."""

Counts = npt.NDArray[np.float64]
"""[utterances] or [utterances, quantities]."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A quotient of sums over utterances."""

    value: float | None
    """None where there was nothing to count."""

    low: float | None
    high: float | None
    """Ends of the 95 % bootstrap interval."""

    numerator: float
    denominator: float

    def __str__(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return "–"
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def share(flags: Iterable[bool]) -> Rate:
    """How many of ``flags`` are true."""
    true = [float(flag) for flag in flags]
    return ratio(true, [1.0] * len(true))


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Rate:
    """Sum of ``numerators`` by sum of ``denominators``, one of each for an utterance."""
    over, under = sum(numerators), sum(denominators)
    if not under:
        return Rate(value=None, low=None, high=None, numerator=over, denominator=under)
    low, high = interval(
        np.stack([np.asarray(numerators, float), np.asarray(denominators, float)], axis=1),
        lambda sums: sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan),
    )
    return Rate(value=over / under, low=low, high=high, numerator=over, denominator=under)


def interval(
    counts: Counts, statistic: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
) -> tuple[float | None, float | None]:
    """Percentile bootstrap interval (Efron 1979) of a statistic of sums.

    ``counts`` is [utterances, quantities]; ``statistic`` maps sums of them [resamples,
    quantities] to values [resamples], NaN where a resample has none.
    """
    number = len(counts)
    chance = np.random.default_rng(SEED)
    rows = max(1, min(RESAMPLES, _BATCH // max(number, 1)))
    values = []
    for start in range(0, RESAMPLES, rows):
        drawn = chance.integers(number, size=(min(rows, RESAMPLES - start), number))
        values.append(statistic(counts[drawn].sum(axis=1)))
    known = np.concatenate(values)
    known = known[~np.isnan(known)]
    if not len(known):
        return None, None
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)
