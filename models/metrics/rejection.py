"""What a threshold lets through and what it keeps out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

POINTS: Final = 100
"""Steps between the thresholds 0 and 1 of a curve."""


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """The best guess for an utterance, whatever the threshold."""

    confidence: float
    """0 where nothing was guessed."""

    wanted: bool
    """False for what must be rejected."""

    right: bool
    """True when the guess is the intent that was meant."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a mistake costs. A wrong intent that is accepted is a false accept, too."""

    false_accept: float = 1.0
    false_reject: float = 1.0


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at one threshold: shares in [0, 1], None of nothing."""

    threshold: float
    false_accepts: int
    """Utterances accepted that must be rejected."""

    wrong_accepts: int
    """Commands accepted as another intent."""

    false_rejects: int
    """Commands rejected."""

    false_accept_rate: float | None
    false_reject_rate: float | None
    cost: float
    """Mean cost of an utterance."""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """The curve over all thresholds, and the best of them."""

    cost: Cost
    wanted: int
    """Utterances that are commands."""

    unwanted: int
    """Utterances that must be rejected."""

    best: Point
    """Where the cost is least; of equal thresholds the middle one."""

    curve: tuple[Point, ...]


def auroc(wanted: Sequence[float], unwanted: Sequence[float]) -> float | None:
    """Area under the ROC curve: how often what is wanted scores above what is not, ties half.

    None where there is none of either.
    """
    if not len(wanted) or not len(unwanted):
        return None
    below = np.sort(np.asarray(unwanted, float))
    less = np.searchsorted(below, wanted, side="left")
    ties = np.searchsorted(below, wanted, side="right") - less
    return float((less + ties / 2).mean() / len(below))


def rejection(guesses: Sequence[Guess], cost: Cost | None = None) -> Rejection | None:
    """The curve of ``guesses``; None when there are none. A guess is accepted when its
    confidence reaches the threshold."""
    if not guesses:
        return None
    cost = cost or Cost()
    confidence = np.array([guess.confidence for guess in guesses])
    wanted = np.array([guess.wanted for guess in guesses])
    right = np.array([guess.right for guess in guesses])
    commands, others = int(wanted.sum()), int((~wanted).sum())

    def at(threshold: float) -> Point:
        through = confidence >= max(threshold, 1e-9)
        false_accepts = int((through & ~wanted).sum())
        wrong = int((through & wanted & ~right).sum())
        rejects = int((~through & wanted).sum())
        spent = cost.false_accept * (false_accepts + wrong) + cost.false_reject * rejects
        return Point(
            threshold=round(threshold, 4),
            false_accepts=false_accepts,
            wrong_accepts=wrong,
            false_rejects=rejects,
            false_accept_rate=false_accepts / others if others else None,
            false_reject_rate=rejects / commands if commands else None,
            cost=spent / len(guesses),
        )

    curve = tuple(at(step / POINTS) for step in range(POINTS + 1))
    least = min(point.cost for point in curve)
    first = next(i for i, point in enumerate(curve) if point.cost == least)
    behind = next((i for i in range(first, len(curve)) if curve[i].cost != least), len(curve))
    best = curve[(first + behind - 1) // 2]
    return Rejection(cost=cost, wanted=commands, unwanted=others, best=best, curve=curve)
