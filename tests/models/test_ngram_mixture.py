"""Language models of several texts become one, and a large one becomes small."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ngram import BEGIN, END, BackOffModel, mix, mixture_weights, perplexity, prune, train

WORDS = range(6)
PRIOR = {**dict.fromkeys(WORDS, 1.0), END: 1.0}

texts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=12)


def learn(text: list[list[int]]) -> BackOffModel:
    return train(text, 3, prior=PRIOR)


def blend(models: list[BackOffModel], weights: list[float]) -> BackOffModel:
    grams = {gram for model in models for level in model.probabilities for gram in level}
    return mix(models, weights, sorted(grams, key=lambda gram: (len(gram), gram)))


def total(model: BackOffModel, history: tuple[int, ...]) -> float:
    """What a history gives to all that may follow, which must be 1."""
    return sum(math.exp(model.log_probability(history, symbol)) for symbol in (*WORDS, END))


@given(texts, texts, st.floats(0.1, 0.9), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_given_any_texts_then_mixed_and_pruned_every_history_has_a_distribution(
    one: list[list[int]], other: list[list[int]], weight: float, size: int
) -> None:
    mixed = blend([learn(one), learn(other)], [weight, 1 - weight])
    small = prune(mixed, size)
    assert sum(map(len, small.probabilities[1:])) <= size
    for model in (mixed, small):
        histories = {gram[:-1] for level in model.probabilities for gram in level}
        for history in histories:
            assert total(model, history) == pytest.approx(1, abs=1e-4)


def test_given_weights_then_an_ngram_has_the_weighted_mean_of_both_models() -> None:
    models = [learn([[1, 2, 3]] * 3), learn([[1, 2, 4]] * 3 + [[5]])]
    mixed = blend(models, [0.3, 0.7])
    for symbol in (3, 4):
        parts = [math.exp(model.log_probability((1, 2), symbol)) for model in models]
        expected = 0.3 * parts[0] + 0.7 * parts[1]
        assert math.exp(mixed.log_probability((1, 2), symbol)) == pytest.approx(expected)


def test_given_sentences_like_one_text_then_that_text_counts() -> None:
    models = [learn([[1, 2, 3], [1, 2, 2]] * 5), learn([[4, 5, 0], [5, 5, 4]] * 5)]
    weights = mixture_weights(models, [[1, 2, 3], [1, 2], [4, 5, 0], [1, 2, 2]])
    assert sum(weights) == pytest.approx(1)
    assert 0.6 < weights[0] < 0.9
    mixed = blend(models, weights)
    wanted = [[1, 2, 3], [4, 5, 0]]
    assert perplexity(mixed, wanted) < min(perplexity(model, wanted) for model in models)


def test_given_little_room_then_those_ngrams_stay_whose_loss_is_felt_most() -> None:
    often, seldom = [[1, 2]] * 50, [[3, 4]] * 2
    model = train([*often, *seldom, [0], [5], [2], [4], [1], [3]], 2, prior=PRIOR)
    assert prune(model, 3).probabilities[1].keys() == {(BEGIN, 1), (1, 2), (2, END)}


def test_given_room_for_all_then_nothing_changes() -> None:
    model = learn([[1, 2, 3], [3, 2, 1, 0], [4, 5]])
    same = prune(model, 1_000)
    assert same.probabilities == model.probabilities
    assert same.back_offs == pytest.approx(model.back_offs)


def test_given_a_longer_ngram_then_what_it_begins_with_stays() -> None:
    model = learn([[1, 2, 3]] * 9 + [[2, 1], [3, 3], [1], [2], [3]])
    for size in range(8):
        levels = prune(model, size).probabilities
        for gram in levels[2]:
            assert gram[:2] in levels[1]
