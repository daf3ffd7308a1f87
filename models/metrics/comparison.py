"""Whether one of two systems is better on the same utterances."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec


class McNemar(msgspec.Struct, frozen=True, kw_only=True):
    """McNemar's exact test (McNemar 1947): only the utterances count on which both differ."""

    better: int
    """Utterances that only the second system got right."""

    worse: int
    """Utterances that only the first system got right."""

    p: float
    """Probability of such a difference, or a larger one, between equal systems (two-sided)."""

    @property
    def significant(self) -> bool:
        """True at the level of 5 %."""
        return self.p < 0.05


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Compare what was right, utterance by utterance."""
    pairs = list(zip(first, second, strict=True))
    worse = sum(a and not b for a, b in pairs)
    better = sum(b and not a for a, b in pairs)
    differing = better + worse
    tail = sum(math.comb(differing, k) for k in range(min(better, worse) + 1))
    return McNemar(better=better, worse=worse, p=min(1.0, 2 * tail / 2**differing))
