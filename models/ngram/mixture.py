"""Mixtures of language models, as one n-gram model with back-off.

Texts of different kinds are worth more apart than together: each kind gets a model of its own, a
few sentences of the kind that is wanted say how much each counts (weights by
expectation-maximisation: Jelinek and Mercer, 1980), and the n-grams of all of them keep the
mixture's probabilities, as SRILM's static interpolation has it (Stolcke, 2002).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from models.ngram.kneser_ney import BEGIN, END, BackOffModel, Gram, back_offs

ROUNDS = 30
"""Of expectation-maximisation; the weights of half a dozen models stand still by then."""


class LanguageModel(Protocol):
    """Whatever tells how likely a symbol is."""

    def log_probability(self, history: Gram, symbol: int, /) -> float:
        """Natural logarithm, of ``symbol`` behind ``history`` (which may begin with BEGIN)."""


def mixture_weights(
    models: Sequence[LanguageModel], sequences: Iterable[Sequence[int]]
) -> list[float]:
    """Weights with which ``models`` together predict ``sequences`` best; they add up to 1."""
    rows = [
        [math.exp(model.log_probability(history, symbol)) for model in models]
        for history, symbol in _events(sequences)
    ]
    weights = [1 / len(models)] * len(models)
    for _ in range(ROUNDS):
        shares = [0.0] * len(models)
        for row in rows:
            parts = [weight * share for weight, share in zip(weights, row, strict=True)]
            total = sum(parts) or 1.0
            shares = [share + part / total for share, part in zip(shares, parts, strict=True)]
        weights = [share / sum(shares) for share in shares]
    return weights


def mix(
    models: Sequence[LanguageModel], weights: Sequence[float], grams: Iterable[Gram]
) -> BackOffModel:
    """The mixture over ``grams``; every history of one of them must be there itself.

    What the mixture gives to n-grams that are not among them goes through back-off.
    """
    parts = [(model, weight) for model, weight in zip(models, weights, strict=True) if weight > 0]
    order = 1
    levels: list[dict[Gram, float]] = [{}]
    for gram in grams:
        while len(gram) > order:
            levels.append({})
            order += 1
        history, symbol = gram[:-1], gram[-1]
        levels[len(gram) - 1][gram] = sum(
            weight * math.exp(model.log_probability(history, symbol)) for model, weight in parts
        )
    total = sum(levels[0].values())
    levels[0] = {gram: share / total for gram, share in levels[0].items()}
    return BackOffModel(
        order,
        [{gram: math.log(share) for gram, share in level.items()} for level in levels],
        back_offs(levels),
    )


def perplexity(model: LanguageModel, sequences: Iterable[Sequence[int]]) -> float:
    """Of ``model`` on ``sequences``, their ends counted."""
    logs = [model.log_probability(history, symbol) for history, symbol in _events(sequences)]
    return math.exp(-sum(logs) / max(len(logs), 1))


def _events(sequences: Iterable[Sequence[int]]) -> Iterable[tuple[Gram, int]]:
    for sequence in sequences:
        padded = (BEGIN, *sequence, END)
        for at in range(1, len(padded)):
            yield padded[:at], padded[at]
