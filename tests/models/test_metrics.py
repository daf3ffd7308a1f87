"""Every figure of ``models.metrics`` is what the field's own libraries compute."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, roc_auc_score

from models.metrics import (
    Cost,
    Guess,
    accepted,
    accepted_strictly,
    auroc,
    bio_chunks,
    edit_distance,
    edits,
    label_scores,
    mcnemar,
    percentiles,
    rejection,
    share,
    slot_scores,
    word_errors,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from seqeval.metrics import f1_score as seqeval_f1
    from seqeval.metrics import precision_score as seqeval_precision
    from seqeval.metrics import recall_score as seqeval_recall
    from seqeval.scheme import IOB2

LABELS = st.sampled_from(["on", "off", "timer", "rejected"])
TAGS = st.sampled_from(["O", "B-size", "I-size", "B-drink", "I-drink"])
TEXT = st.lists(st.sampled_from(["turn", "on", "off", "the", "a"]), max_size=6).map(" ".join)
FAST = settings(max_examples=40, deadline=None)


@FAST
@given(pairs=st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30))
def test_given_any_labels_then_scores_are_those_of_scikit_learn(
    pairs: list[tuple[str, str]],
) -> None:
    expected, found = [a for a, _ in pairs], [b for _, b in pairs]
    scores = label_scores(expected, found)
    assert scores.accuracy.value == pytest.approx(accuracy_score(expected, found))
    known = sorted(set(expected))
    macro = f1_score(expected, found, labels=known, average="macro", zero_division=0)
    assert scores.macro_f1.value == pytest.approx(macro)
    names = list(scores.labels)
    if len(names) > 1:  # scikit-learn warns of a matrix with one cell
        assert np.array_equal(scores.confusion, confusion_matrix(expected, found, labels=names))
    each = f1_score(expected, found, average=None, labels=names, zero_division=0)
    assert [scores.by_label[name].f1 for name in names] == pytest.approx(each)


@FAST
@given(
    sentences=st.lists(
        st.integers(1, 7).flatmap(
            lambda n: st.tuples(
                st.lists(TAGS, min_size=n, max_size=n), st.lists(TAGS, min_size=n, max_size=n)
            )
        ),
        min_size=1,
        max_size=8,
    )
)
def test_given_any_bio_tags_then_slot_scores_are_those_of_seqeval_in_strict_mode(
    sentences: list[tuple[list[str], list[str]]],
) -> None:
    expected, found = [a for a, _ in sentences], [b for _, b in sentences]
    scores = slot_scores([bio_chunks(t) for t in expected], [bio_chunks(t) for t in found])
    strict = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    assert (scores.f1.value or 0) == pytest.approx(seqeval_f1(expected, found, **strict))
    assert (scores.precision.value or 0) == pytest.approx(
        seqeval_precision(expected, found, **strict)
    )
    assert (scores.recall.value or 0) == pytest.approx(seqeval_recall(expected, found, **strict))


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
)
def test_given_any_scores_then_the_area_under_the_curve_is_that_of_scikit_learn(
    wanted: list[int], unwanted: list[int]
) -> None:
    truth = [1] * len(wanted) + [0] * len(unwanted)

    assert auroc(wanted, unwanted) == pytest.approx(roc_auc_score(truth, wanted + unwanted))
    assert auroc([], unwanted) is None


def test_given_texts_then_word_errors_are_counted_by_kind() -> None:
    errors = word_errors(["turn on the light", "stop"], ["Turn  off the bright light", ""])
    assert errors is not None
    assert (errors.words, errors.hits) == (5, 3)
    assert (errors.substitutions, errors.insertions, errors.deletions) == (1, 1, 1)
    assert errors.wer.value == pytest.approx(3 / 5)
    assert errors.correct_texts.value == 0


@FAST
@given(said=TEXT, heard=TEXT)
def test_given_any_two_texts_then_the_edits_turn_one_into_the_other(said: str, heard: str) -> None:
    found = edits(said, heard)
    assert " ".join(e.expected for e in found if e.expected) == said
    assert " ".join(e.actual for e in found if e.actual) == heard
    assert all(e.kind == "equal" or e.expected != e.actual for e in found)
    cost = sum(
        max(len(e.expected.split()), len(e.actual.split())) for e in found if e.kind != "equal"
    )
    assert cost == edit_distance(heard.split(), said.split())


@pytest.mark.parametrize(
    ("found", "slots", "rule", "strict"),
    [
        ("order", {"size": ["small"]}, True, True),
        ("order", {"size": ["Small "]}, True, True),
        ("order", {"size": ["small"], "milk": ["soy"]}, True, False),
        ("order", {}, False, False),
        ("order", {"size": ["large"]}, False, False),
        ("stop", {"size": ["small"]}, False, False),
        (None, {"size": ["small"]}, False, False),
    ],
)
def test_given_a_command_then_extra_slots_are_an_error_only_to_the_strict_rule(
    found: str | None, slots: dict[str, list[str]], rule: bool, strict: bool
) -> None:
    assert accepted("order", {"size": "small"}, found, slots) is rule
    assert accepted_strictly("order", {"size": "small"}, found, slots) is strict


def test_given_what_must_be_rejected_then_only_a_rejection_is_right() -> None:
    assert accepted(None, None, None, {})
    assert not accepted(None, None, "order", {})


def test_given_a_number_then_either_way_to_write_it_is_right() -> None:
    assert accepted("timer", {"minutes": 10}, "timer", {"minutes": [10.0, "ten"]})
    assert accepted("timer", {"minutes": "ten"}, "timer", {"minutes": [10, "ten"]})
    assert not accepted("timer", {"minutes": 11}, "timer", {"minutes": [10, "ten"]})


def test_given_a_dear_false_accept_then_the_best_threshold_is_higher() -> None:
    guesses = [
        Guess(confidence=0.9, wanted=True, right=True),
        Guess(confidence=0.5, wanted=True, right=True),
        Guess(confidence=0.7, wanted=False, right=False),
    ]
    cheap = rejection(guesses, Cost(false_accept=0.5))
    dear = rejection(guesses, Cost(false_accept=2.0))
    assert cheap is not None
    assert dear is not None
    assert cheap.best.threshold <= 0.5
    assert 0.7 < dear.best.threshold <= 0.9
    assert (dear.best.false_accepts, dear.best.false_rejects) == (0, 1)


@FAST
@given(
    guesses=st.lists(
        st.builds(Guess, confidence=st.floats(0, 1), wanted=st.booleans(), right=st.booleans()),
        min_size=1,
        max_size=20,
    ),
    price=st.floats(0, 5),
)
def test_given_any_guesses_then_no_threshold_of_the_curve_costs_less_than_the_best(
    guesses: list[Guess], price: float
) -> None:
    found = rejection(guesses, Cost(false_accept=price))
    assert found is not None
    assert found.best.cost == min(point.cost for point in found.curve)
    rejected = [point.false_rejects for point in found.curve]
    assert rejected == sorted(rejected)
    accepts = [point.false_accepts for point in found.curve]
    assert accepts == sorted(accepts, reverse=True)
    for point in found.curve:
        through = [g for g in guesses if g.confidence >= max(point.threshold, 1e-9)]
        assert point.false_accepts == sum(not g.wanted for g in through)
        assert point.wrong_accepts == sum(g.wanted and not g.right for g in through)


@FAST
@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_given_any_two_systems_then_mcnemars_p_is_the_binomial_test(
    pairs: list[tuple[bool, bool]],
) -> None:
    found = mcnemar([a for a, _ in pairs], [b for _, b in pairs])
    differing = found.better + found.worse
    expected = binomtest(found.better, differing, 0.5).pvalue if differing else 1.0
    assert found.p == pytest.approx(expected)


def test_given_a_rate_then_its_interval_is_near_the_normal_approximation() -> None:
    rate = share([True] * 160 + [False] * 40)
    half = 1.96 * math.sqrt(0.8 * 0.2 / 200)
    assert rate.value == 0.8
    assert rate.low == pytest.approx(0.8 - half, abs=0.015)
    assert rate.high == pytest.approx(0.8 + half, abs=0.015)
    assert rate == share([True] * 160 + [False] * 40)


def test_given_nothing_then_no_figure_is_made_up() -> None:
    assert share([]).value is None
    assert label_scores([], []).macro_f1.value is None
    assert word_errors([], []) is None
    assert rejection([]) is None
    assert percentiles([]) is None


@FAST
@given(times=st.lists(st.floats(0, 1e4), min_size=1, max_size=50))
def test_given_any_times_then_percentiles_are_in_order(times: list[float]) -> None:
    found = percentiles(times)
    assert found is not None
    assert min(times) <= found.p50 <= found.p90 <= found.p95 <= found.p99 <= found.max
    assert found.p50 == pytest.approx(float(np.median(times)))
