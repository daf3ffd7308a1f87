"""Texts longer than a model takes, given to a classifier or a tagger, are read in windows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.mobilebert.answering import PairTokenizer
from models.mobilebert.long_text import Classifier, Tagger
from models.mobilebert.tokens import WordTokenizer

SNIPS = Path(__file__).resolve().parent.parent / "data" / "models" / "mobilebert-snips"
PLAY = "play some jazz music by miles davis"
RAIN = "will it rain in london tomorrow"


@cache
def classifier() -> Classifier:
    return Classifier.load(SNIPS)


@cache
def tagger() -> Tagger:
    return Tagger.load(SNIPS)


@cache
def tokenizer() -> WordTokenizer:
    return WordTokenizer.load(SNIPS, 16)


def test_given_a_short_text_there_is_one_window_and_it_is_the_usual_encoding() -> None:
    (window,) = tokenizer().windows(PLAY, 4)
    whole = tokenizer().encode(PLAY)

    assert window.ids.tolist() == whole.ids.tolist()
    assert window.words == whole.words
    assert window.pieces.tolist() == whole.pieces.tolist()


def test_given_a_long_text_windows_cover_every_word_and_share_some() -> None:
    text = " ".join(f"{PLAY} and {RAIN}" for _ in range(5))

    windows = tokenizer().windows(text, 4)

    spans = [match.span() for match in re.finditer(r"\S+", text)]
    assert sorted({word for window in windows for word in window.words}) == spans
    assert all(len(window.ids) <= 16 for window in windows)
    for before, behind in pairwise(windows):
        assert 0 < len(set(before.words) & set(behind.words)) <= 4


def test_given_a_text_of_two_halves_topics_are_the_mean_of_what_windows_say() -> None:
    play, rain = classifier().classify(PLAY), classifier().classify(RAIN)
    both = classifier().classify(" ".join([PLAY] * 12 + [RAIN] * 12))

    assert play.labels[0].name == "PlayMusic"
    assert rain.labels[0].name == "GetWeather"
    assert both.windows > 1
    assert {label.name for label in both.labels[:2]} == {"PlayMusic", "GetWeather"}
    assert sum(label.confidence for label in both.labels) == pytest.approx(1.0)


def test_given_a_long_text_entities_are_found_to_its_end() -> None:
    text = " and ".join([RAIN] * 40)

    found = tagger().tag(text)

    # A model of single requests loses a few far from any request's beginning.
    cities = [text[span.start : span.end] for span in found if span.name == "city"]
    assert cities.count("london") >= 30
    assert found[-1].end > len(text) - 40


@pytest.mark.parametrize("text", ["", " \t\n", "\x00\x07", "\u200b"])
def test_given_nothing_to_read_there_is_nothing(text: str) -> None:
    assert classifier().classify(text).labels == ()
    assert classifier().classify(text).windows == 0
    assert tagger().tag(text) == ()


def test_given_more_than_is_ever_read_it_says_so() -> None:
    windows = tokenizer().windows("a " * 20_001, 4)

    assert windows[-1].truncated
    assert not windows[0].truncated
    assert not tokenizer().windows("a " * 20_000, 4)[-1].truncated


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(0, 40))
def test_given_any_text_windows_hold_whole_words_in_order(text: str, overlap: int) -> None:
    windows = tokenizer().windows(text, overlap)

    starts = [match.start() for match in re.finditer(r"\S+", text)]
    for window in windows:
        assert len(window.ids) <= 16
        assert [start for start, _ in window.words] == sorted(start for start, _ in window.words)
        assert all(start in starts for start, _ in window.words)
        assert all(0 < piece < len(window.ids) - 1 for piece in window.pieces)
    assert [w.words[0] for w in windows if w.words] == sorted(
        {w.words[0] for w in windows if w.words}
    )


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(categories=("Cs", "Cc", "So", "Lo", "Zs", "Ll")), max_size=80))
def test_given_any_text_entities_lie_on_words_and_never_overlap(text: str) -> None:
    reached = 0
    for span in tagger().tag(text):
        assert reached <= span.start < span.end <= len(text)
        reached = span.end


@pytest.mark.parametrize(("kept", "load"), [(0, Tagger.load), (1, Classifier.load)])
def test_given_a_model_without_such_a_head_it_is_refused(
    tmp_path: Path, kept: int, load: Callable[[Path], object]
) -> None:
    labels = json.loads((SNIPS / "labels.json").read_text())
    labels["heads"] = [labels["heads"][kept]]
    del labels["intent_slots"]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    for name in ("model.int8.onnx", "tokenizer.json"):
        (tmp_path / name).symlink_to(SNIPS / name)

    with pytest.raises(ModelError, match=r"labels\.json has no head of kind"):
        load(tmp_path)


def test_given_a_document_pairs_of_question_and_part_cover_it() -> None:
    pairs = PairTokenizer(WordTokenizer.load(SNIPS, 64).backend, 32)
    document = " ".join([PLAY, RAIN] * 10)

    windows = list(pairs.windows("when does it rain", document, stride=8))

    assert all(len(window.ids) == len(window.types) <= 32 for window in windows)
    covered = {offset for window in windows for offset in window.offsets}
    assert {(0, 4), (len(document) - len("tomorrow"), len(document))} <= covered
    assert windows[0].tokens_of(5, 14) == (windows[0].first + 1, windows[0].first + 2)
    assert windows[-1].tokens_of(0, 4) is None


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(max_size=200), st.integers(0, 100))
def test_given_any_question_and_document_windows_fit_the_model(
    question: str, document: str, stride: int
) -> None:
    pairs = PairTokenizer(tokenizer().backend, 16)

    for window in pairs.windows(question, document, stride):
        assert window.first + len(window.offsets) + 1 == len(window.ids) <= 16
        assert all(0 <= start <= end <= len(document) for start, end in window.offsets)
