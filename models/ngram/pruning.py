"""N-gram models made smaller: those n-grams go whose loss is felt least (Stolcke, 1998)."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator

from models.ngram.kneser_ney import BEGIN, END, BackOffModel, Gram, back_offs


def prune(model: BackOffModel, size: int) -> BackOffModel:
    """``model`` with at most ``size`` n-grams above the single symbols, which all stay.

    An n-gram costs what the model's cross-entropy grows by without it, each judged as if it were
    the only one to go. One that longer n-grams begin with stays as long as they do.
    """
    costs = {gram: cost for level in range(1, model.order) for gram, cost in _costs(model, level)}
    kept: set[Gram] = set()
    for gram in heapq.nlargest(size, costs, key=costs.__getitem__):
        wanted = [gram[:end] for end in range(2, len(gram) + 1) if gram[:end] not in kept]
        if len(kept) + len(wanted) > size:
            break
        kept.update(wanted)
    levels = [
        {gram: share for gram, share in level.items() if len(gram) == 1 or gram in kept}
        for level in model.probabilities
    ]
    shares = [{gram: math.exp(log) for gram, log in level.items()} for level in levels]
    return BackOffModel(model.order, levels, back_offs(shares))


def _costs(model: BackOffModel, level: int) -> Iterator[tuple[Gram, float]]:
    """Each n-gram of a level with what cross-entropy grows by without it (Stolcke, equation 4)."""
    below: dict[Gram, float] = {}
    left: defaultdict[Gram, float] = defaultdict(lambda: 1.0)
    left_below: defaultdict[Gram, float] = defaultdict(lambda: 1.0)
    for gram, log in model.probabilities[level].items():
        below[gram] = math.exp(model.log_probability(gram[1:-1], gram[-1]))
        left[gram[:-1]] -= math.exp(log)
        left_below[gram[:-1]] -= below[gram]
    often = {history: _share(model, history) for history in left}
    for gram, log in model.probabilities[level].items():
        history, share = gram[:-1], math.exp(log)
        free, free_below = max(left[history], 1e-9), max(left_below[history], 1e-9)
        weight = math.log(free / free_below)
        new_weight = math.log((free + share) / (free_below + below[gram]))
        change = share * (math.log(below[gram]) + new_weight - log) + free * (new_weight - weight)
        yield gram, -often[history] * change


def _share(model: BackOffModel, history: Gram) -> float:
    """How often a history occurs; a beginning as often as an end."""
    total = 0.0
    for at, symbol in enumerate(history):
        real = END if symbol == BEGIN else symbol
        total += model.log_probability(() if symbol == BEGIN else history[:at], real)
    return math.exp(total)
