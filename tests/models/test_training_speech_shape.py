"""Texts, made as a speaker says them and a recogniser writes them, keep their labels."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelError
from models.training.language.alignment import LabelledText, tag_spans
from models.training.language.mishearings import (
    align_words,
    alike,
    count_mishearings,
    load_mishearings,
    write_mishearings,
)
from models.training.language.speech_shape import SpeechRates, SpeechShape
from models.training.language.spoken import plain, spoken_words

PAIRS = [
    ("turn on the light", "turn on light"),
    ("turn on the light", "turn the light on"),
    ("set a timer", "set the time a"),
    ("play it", "played it"),
]
TEXT = LabelledText(
    ("wake", "me", "up", "at", "six", "thirty", "in", "the", "morning"),
    ("O", "O", "O", "O", "B-time", "I-time", "O", "O", "B-part"),
    "Alarm",
)


def test_given_what_was_said_and_heard_like_words_stand_side_by_side() -> None:
    assert align_words(["set", "a", "timer"], ["set", "timer", "please"]) == [
        ("set", "set"),
        ("a", None),
        ("timer", "timer"),
        (None, "please"),
    ]
    assert align_words(["play", "it"], ["played", "it"]) == [("play", "played"), ("it", "it")]
    assert align_words([], ["uh"]) == [(None, "uh")]


def test_given_pairs_it_counts_what_was_swapped_lost_and_added() -> None:
    counts = count_mishearings(PAIRS, model="m@1", recordings="four")

    assert counts.words == 13
    assert counts.swapped["play"] == {"played": 1}
    assert counts.lost["the"] == 1
    assert counts.heard_as(["play", "light"]) == {"play": ("played",)}
    assert counts.error_rate == pytest.approx(sum(counts.rates))
    assert counts.mishear("play", Random(0)) == "played"
    assert counts.mishear("light", Random(0)) is None


def test_given_counts_written_they_are_read_as_they_were(tmp_path: Path) -> None:
    counts = count_mishearings(PAIRS, model="m@1", recordings="four")
    write_mishearings(tmp_path / "m.json", counts)

    assert load_mishearings(tmp_path / "m.json") == counts


def test_given_a_word_that_was_never_measured_words_that_sound_like_it_stand_in() -> None:
    counts = count_mishearings(PAIRS, model="m@1", recordings="four")

    found = alike(["play", "write", "xyzzy"], ["ride", "garage"], counts)

    assert found == {"play": ("played",), "write": ("ride",)}


def test_given_a_domain_none_of_its_words_is_made_another_that_it_was_taken_for() -> None:
    counts = count_mishearings(
        [("turn it off", "turn it on"), ("turn it off", "turn it of")], model="m@1", recordings="2"
    )

    assert alike(["turn", "on", "off"], [], counts)["off"] == ("of",)


def test_given_the_shipped_counts_they_come_from_enough_words_to_say_something() -> None:
    counts = load_mishearings()

    assert counts.words > 2000
    assert 0.02 < counts.error_rate < 0.9
    assert counts.model.startswith("vosk-en")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"words": "many"}'])
def test_given_a_damaged_file_of_counts_it_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=r"m\.json"):
        load_mishearings(path)


@given(st.integers(0, 10_000))
def test_given_a_text_its_slots_stay_in_order_and_as_long_as_they_were(seed: int) -> None:
    shape = SpeechShape(
        SpeechRates(filler=0.2, repetition=0.2, repair=0.5, misheard=1.0),
        count_mishearings([*PAIRS, ("six", "sick")], model="m@1", recordings="five"),
    )

    made = shape(TEXT, Random(seed))

    assert made.intent == "Alarm"
    assert made.tags is not None
    spans = sorted((first, behind - first, name) for name, first, behind in tag_spans(made.tags))
    assert [(length, name) for _, length, name in spans] == [(2, "time"), (1, "part")]
    assert made.words[spans[0][0]] in ("six", "sick")


def test_given_the_same_generator_it_makes_the_same() -> None:
    shape = SpeechShape(SpeechRates(filler=0.3, repetition=0.3, repair=0.3, misheard=1.0))

    assert shape(TEXT, Random(5)) == shape(TEXT, Random(5))
    assert len({shape(TEXT, Random(seed)).text for seed in range(20)}) > 10


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("7:30pm", "seven thirty p m"),
        ("7:00", "seven o'clock"),
        ("10am", "ten a m"),
        ("1999", "nineteen ninety nine"),
        ("1980s", "nineteen eighties"),
        ("3rd", "third"),
        ("2.5", "two point five"),
        ("1,200", "one thousand two hundred"),
        ("12345", "one two three four five"),
        ("r&b", "r and b"),
        ("don't", "don't"),
        ("café,", "cafe"),
        ("...", ""),
    ],
)
def test_given_a_written_token_it_says_what_is_said(token: str, words: str) -> None:
    assert " ".join(spoken_words(plain(token))) == words


@given(st.text(max_size=20))
def test_given_any_token_what_is_said_has_letters_alone(token: str) -> None:
    for word in spoken_words(plain(token)):
        assert word
        assert all(c.isascii() and (c.isalpha() or c == "'") for c in word)
