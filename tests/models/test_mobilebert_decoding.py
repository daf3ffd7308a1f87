"""Decoding, given any scores, yields a valid BIO sequence, and the best one there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.mobilebert.decoding import TagDecoder, softmax, transition_scores

TAGS = ("O", "B-size", "I-size", "B-drink", "I-drink", "B-sugar")

LARGE = 2.0**100


def is_valid(path: list[str]) -> bool:
    return all(
        not tag.startswith("I-") or before in (f"B-{tag[2:]}", tag)
        for before, tag in itertools.pairwise(["O", *path])
    )


def logits(words: st.SearchStrategy[int]) -> st.SearchStrategy[np.ndarray]:
    return words.flatmap(
        lambda count: arrays.arrays(
            np.float32,
            (count, len(TAGS)),
            elements=st.floats(-LARGE, LARGE, width=32),
        )
    )


@given(logits(st.integers(0, 12)))
def test_given_any_scores_the_sequence_is_valid(scores: np.ndarray) -> None:
    path = TagDecoder(TAGS).decode(softmax(scores))

    assert len(path) == len(scores)
    assert is_valid([TAGS[index] for index in path])


@given(logits(st.integers(1, 8)), st.sets(st.sampled_from(["size", "drink", "sugar"])))
def test_given_some_slots_no_tag_of_another_is_chosen(scores: np.ndarray, slots: set[str]) -> None:
    path = [TAGS[index] for index in TagDecoder(TAGS).decode(softmax(scores), slots)]

    assert is_valid(path)
    assert {tag[2:] for tag in path if tag != "O"} <= slots


@given(
    arrays.arrays(np.float32, (4, len(TAGS)), elements=st.floats(-5, 5, width=32)),
    st.sampled_from([0.0, 0.2, 1.0]),
)
def test_given_scores_no_valid_sequence_is_better(scores: np.ndarray, weight: float) -> None:
    counts = {"<start>": {"O": 9.0}, "O": {"O": 5.0, "B-size": 4.0}, "B-size": {"B-drink": 3.0}}
    probabilities = softmax(scores)
    transitions = transition_scores(TAGS, counts, weight)

    def value(path: tuple[int, ...]) -> float:
        before = (len(TAGS), *path)
        steps = sum(transitions[a, b] for a, b in itertools.pairwise(before))
        return float(steps + np.log(probabilities[range(4), path]).sum())

    best = max(value(path) for path in itertools.product(range(len(TAGS)), repeat=4))
    found = TagDecoder(TAGS, counts, weight).decode(probabilities)

    assert value(tuple(found)) == pytest.approx(best)


def test_given_counts_what_often_follows_wins_a_close_race() -> None:
    scores = np.zeros((2, len(TAGS)), np.float32)
    scores[0, TAGS.index("B-size")] = 5.0
    scores[1, TAGS.index("B-sugar")] = 1.0
    scores[1, TAGS.index("B-drink")] = 0.9
    counts = {"B-size": {"B-drink": 9.0, "B-sugar": 1.0}, "O": {"B-drink": 1.0, "B-sugar": 9.0}}

    without = TagDecoder(TAGS, counts, 0.0).decode(softmax(scores))
    with_counts = TagDecoder(TAGS, counts, 0.2).decode(softmax(scores))

    assert [TAGS[index] for index in without] == ["B-size", "B-sugar"]
    assert [TAGS[index] for index in with_counts] == ["B-size", "B-drink"]


def test_given_a_path_spans_are_split_where_a_new_slot_begins() -> None:
    path = ["B-size", "I-size", "B-size", "O", "B-drink", "B-sugar"]

    spans = list(TagDecoder(TAGS).spans([TAGS.index(tag) for tag in path]))

    assert spans == [("size", 0, 2), ("size", 2, 3), ("drink", 4, 5), ("sugar", 5, 6)]


@given(arrays.arrays(np.float32, (3, 5), elements=st.floats(-LARGE, LARGE, width=32)))
def test_given_any_scores_probabilities_sum_to_one(scores: np.ndarray) -> None:
    assert softmax(scores, 2.0).sum(axis=-1) == pytest.approx(np.ones(3))
