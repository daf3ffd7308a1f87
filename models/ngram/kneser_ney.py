"""N-grams with modified Kneser-Ney smoothing (Chen and Goodman, 1999), interpolated.

Lower orders count the different words that an n-gram was seen behind, not how often it was seen;
n-grams that begin a sentence keep their counts. What pruning takes away goes to back-off, so that
every history still has a distribution.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BEGIN, END = -1, -2
"""Numbers of the beginning and the end of a sequence."""

Gram = tuple[int, ...]


@dataclass(frozen=True)
class BackOffModel:
    """An n-gram model with back-off; logarithms are natural."""

    order: int
    probabilities: list[dict[Gram, float]]
    """Log-probability of the last number of each n-gram behind the others, for n = 1, 2, …"""

    back_offs: dict[Gram, float]
    """Log of what a history leaves to its shorter one; 0.0 for those that are not here."""

    def log_probability(self, history: Gram, symbol: int) -> float:
        """Of ``symbol`` behind ``history``; minus infinity for a symbol that was never seen."""
        history = history[len(history) - self.order + 1 :] if self.order > 1 else ()
        left = 0.0
        while True:
            found = self.probabilities[len(history)].get((*history, symbol))
            if found is not None:
                return left + found
            if not history:
                return -math.inf
            left += self.back_offs.get(history, 0.0)
            history = history[1:]


def train(
    sequences: Iterable[Sequence[int]],
    order: int,
    *,
    prior: Mapping[int, float] | None = None,
    minimum: Sequence[int] = (),
) -> BackOffModel:
    """An n-gram model of ``sequences`` of numbers from 0 on.

    ``prior`` are weights of all symbols that may occur, whether or not a sequence has them, END
    with them; what smoothing takes from seen symbols goes to all in these shares. ``minimum`` are
    the counts that an n-gram needs to be kept, from order 2 on in the second place; 1 where the
    list ends. Counts below the highest order are of different predecessors.
    """
    counts = _count(sequences, order)
    weights = prior or {gram[0]: 1.0 for gram in counts[0]}
    total = sum(weights.values())
    shares: dict[Gram, float] = {(symbol,): weight / total for symbol, weight in weights.items()}
    result = [_interpolate(counts[0], shares, shares)]
    for level in counts[1:]:
        result.append(_interpolate(level, result[-1], None))
    return _prune(result, counts, minimum)


def _count(sequences: Iterable[Sequence[int]], order: int) -> list[Counter[Gram]]:
    """Counts of the highest order, and counts of different predecessors below it."""
    seen: list[Counter[Gram]] = [Counter() for _ in range(order)]
    for sequence in sequences:
        padded = (BEGIN, *sequence, END)
        for end in range(2, len(padded) + 1):
            seen[-1][padded[max(0, end - order) : end]] += 1
    # Shorter n-grams at the beginning of a sequence have no predecessor: they keep their counts.
    for gram in [gram for gram in seen[-1] if len(gram) < order]:
        seen[len(gram) - 1][gram] = seen[-1].pop(gram)
    for level in range(order - 1, 0, -1):
        for gram in seen[level]:
            seen[level - 1][gram[1:]] += 1
    return seen


def _interpolate(
    counts: Counter[Gram], lower: dict[Gram, float], shares: dict[Gram, float] | None
) -> dict[Gram, float]:
    """Probabilities of one order, from those of the order below."""
    discounts = _discounts(counts)
    totals: defaultdict[Gram, int] = defaultdict(int)
    left: defaultdict[Gram, float] = defaultdict(float)
    for gram, count in counts.items():
        totals[gram[:-1]] += count
        left[gram[:-1]] += discounts[min(count, 3)]
    found = {
        gram: (count - discounts[min(count, 3)]) / totals[gram[:-1]]
        + left[gram[:-1]] / totals[gram[:-1]] * lower[gram[1:] if shares is None else gram]
        for gram, count in counts.items()
    }
    if shares is not None:
        rest = left[()] / totals[()]
        found |= {gram: rest * share for gram, share in shares.items() if gram not in found}
    return found


def _discounts(counts: Counter[Gram]) -> tuple[float, float, float, float]:
    """What n-grams seen once, twice and more often lose (Chen and Goodman, equation 26)."""
    of = Counter(min(count, 4) for count in counts.values())
    if not all(of[number] for number in (1, 2, 3, 4)):
        return (0.0, 0.5, 0.75, 0.75)
    share = of[1] / (of[1] + 2 * of[2])
    one, two, three = (
        min(max(n - (n + 1) * share * of[n + 1] / of[n], 0.1), n - 0.05) for n in (1, 2, 3)
    )
    return (0.0, one, two, three)


def _prune(
    levels: list[dict[Gram, float]], counts: list[Counter[Gram]], minimum: Sequence[int]
) -> BackOffModel:
    kept: list[dict[Gram, float]] = [{} for _ in levels]
    needed: set[Gram] = set()
    for level in range(len(levels) - 1, -1, -1):
        least = minimum[level] if level < len(minimum) else 1
        for gram, share in levels[level].items():
            if level == 0 or counts[level][gram] >= least or gram in needed:
                kept[level][gram] = share
                needed.add(gram[:-1])
    return BackOffModel(
        len(levels),
        [{gram: math.log(share) for gram, share in level.items()} for level in kept],
        back_offs(kept),
    )


def back_offs(levels: list[dict[Gram, float]]) -> dict[Gram, float]:
    """What each history leaves: one minus its own, over one minus theirs at the shorter one."""
    found: dict[Gram, float] = {}
    for level in range(1, len(levels)):
        own: defaultdict[Gram, float] = defaultdict(float)
        below: defaultdict[Gram, float] = defaultdict(float)
        for gram, share in levels[level].items():
            own[gram[:-1]] += share
            below[gram[:-1]] += _share(gram[1:], levels, found)
        for history, total in own.items():
            # At least a little: a history that leaves nothing would make a symbol impossible.
            found[history] = math.log(max(1.0 - total, 1e-7) / max(1.0 - below[history], 1e-7))
    return found


def _share(gram: Gram, levels: list[dict[Gram, float]], back_offs: dict[Gram, float]) -> float:
    left = 0.0
    while gram not in levels[len(gram) - 1]:
        left += back_offs.get(gram[:-1], 0.0)
        gram = gram[1:]
    return math.exp(left) * levels[len(gram) - 1][gram]
