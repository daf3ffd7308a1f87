"""One label for each utterance: accuracy, precision, recall, F1 and the confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from models.metrics.rates import Rate, interval, share


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """How well one class is found. None where it can't be said: 0 of 0."""

    precision: float | None
    recall: float | None
    f1: float | None
    expected: int
    """How often it was right to find it."""

    found: int
    """How often it was found."""

    correct: int


class LabelScores(msgspec.Struct, frozen=True, kw_only=True):
    """Scores over all labels."""

    accuracy: Rate
    macro_f1: Rate
    """Mean F1 of the labels that were expected at least once."""

    by_label: dict[str, Scores]
    labels: tuple[str, ...]
    """Names of the rows and columns of ``confusion``."""

    confusion: tuple[tuple[int, ...], ...]
    """Counts; rows are what was expected, columns what was found."""


def scores(expected: int, found: int, correct: int) -> Scores:
    """Precision, recall and F1 from counts."""
    return Scores(
        precision=correct / found if found else None,
        recall=correct / expected if expected else None,
        f1=2 * correct / (expected + found) if expected + found else None,
        expected=expected,
        found=found,
        correct=correct,
    )


def label_scores(expected: Sequence[str], found: Sequence[str]) -> LabelScores:
    """Compare labels one by one."""
    labels = tuple(sorted({*expected, *found}))
    pairs = Counter(zip(expected, found, strict=True))
    confusion = tuple(tuple(pairs[row, column] for column in labels) for row in labels)
    wanted, got = Counter(expected), Counter(found)
    by_label = {label: scores(wanted[label], got[label], pairs[label, label]) for label in labels}
    return LabelScores(
        accuracy=share(a == b for a, b in zip(expected, found, strict=True)),
        macro_f1=_macro_f1(expected, found),
        by_label=by_label,
        labels=labels,
        confusion=confusion,
    )


def _macro_f1(expected: Sequence[str], found: Sequence[str]) -> Rate:
    if not expected:
        return Rate(value=None, low=None, high=None, numerator=0, denominator=0)
    names = np.unique(expected)
    wanted = np.asarray(expected)[:, None] == names
    got = np.asarray(found)[:, None] == names
    counts = np.concatenate([wanted & got, wanted, got], axis=1).astype(float)

    def macro(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        correct, of, among = np.split(sums, 3, axis=1)
        total = of + among
        f1 = np.divide(2 * correct, total, out=np.full_like(total, np.nan), where=total > 0)
        means: npt.NDArray[np.float64] = np.nanmean(f1, axis=1)
        return means

    low, high = interval(counts, macro)
    value = float(macro(counts.sum(axis=0, keepdims=True))[0])
    return Rate(
        value=value, low=low, high=high, numerator=value * len(names), denominator=len(names)
    )
