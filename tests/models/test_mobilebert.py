"""A language model, given a text, says the intent and where its slots lie."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.mobilebert import LanguageModel

SNIPS = Path(__file__).resolve().parent.parent / "data" / "models" / "mobilebert-snips"

Variant = Callable[..., LanguageModel]


@cache
def loaded() -> LanguageModel:
    return LanguageModel.load(SNIPS)


@pytest.fixture
def snips() -> LanguageModel:
    return loaded()


@pytest.fixture
def variant(tmp_path: Path) -> Variant:
    """Load the same network with other labels."""

    def load(change: Callable[[dict[str, Any]], None]) -> LanguageModel:
        labels = json.loads((SNIPS / "labels.json").read_text())
        change(labels)
        (tmp_path / "labels.json").write_text(json.dumps(labels))
        for name in ("model.int8.onnx", "tokenizer.json"):
            (tmp_path / name).symlink_to(SNIPS / name)
        return LanguageModel.load(tmp_path)

    return load


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        (
            "play some jazz music by miles davis",
            "PlayMusic",
            {("genre", 10, 14): "jazz", ("artist", 24, 35): "miles davis"},
        ),
        (
            "book a table for two people in paris",
            "BookRestaurant",
            {("party_size_number", 17, 20): "two", ("city", 31, 36): "paris"},
        ),
        (
            "will it rain in london tomorrow",
            "GetWeather",
            {
                ("condition_description", 8, 12): "rain",
                ("city", 16, 22): "london",
                ("timeRange", 23, 31): "tomorrow",
            },
        ),
        (
            "add this song to my workout playlist",
            "AddToPlaylist",
            {
                ("music_item", 9, 13): "song",
                ("playlist_owner", 17, 19): "my",
                ("playlist", 20, 27): "workout",
            },
        ),
        (
            "find a tv show called game of thrones",
            "SearchCreativeWork",
            {("object_type", 7, 14): "tv show", ("object_name", 22, 37): "game of thrones"},
        ),
        (
            "  Rate\tthis   BOOK five stars ",
            "RateBook",
            {
                ("object_select", 7, 11): "this",
                ("object_type", 14, 18): "BOOK",
                ("rating_value", 19, 23): "five",
                ("rating_unit", 24, 29): "stars",
            },
        ),
    ],
)
def test_given_a_sentence_it_names_the_intent_and_the_characters_of_each_slot(
    snips: LanguageModel, text: str, intent: str, slots: dict[tuple[str, int, int], str]
) -> None:
    reading = snips.understand(text)

    assert reading.intents[0].name == intent
    found = {
        (slot.name, slot.start, slot.end): text[slot.start : slot.end] for slot in reading.slots
    }
    assert found == slots
    assert not reading.truncated


def test_given_a_model_it_says_who_it_is_and_what_it_knows(snips: LanguageModel) -> None:
    assert snips.id == "mobilebert-snips@1"
    assert snips.language == "en"
    assert len(snips.intents) == 7
    assert len(snips.slots) == 39


def test_given_no_out_of_scope_label_all_probability_is_shared_by_the_intents_best_first(
    snips: LanguageModel,
) -> None:
    reading = snips.understand("what will the weather be like in rome")

    scores = [intent.confidence for intent in reading.intents]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0)
    assert reading.rejected == 0.0


def test_given_an_out_of_scope_label_its_probability_is_apart_from_the_intents(
    variant: Variant,
) -> None:
    def change(labels: dict[str, Any]) -> None:
        labels["heads"][0]["out_of_scope"] = "GetWeather"

    model = variant(change)
    reading = model.understand("will it rain in london tomorrow")

    assert "GetWeather" not in model.intents
    assert "GetWeather" not in [intent.name for intent in reading.intents]
    assert reading.rejected > 0.9
    total = reading.rejected + sum(intent.confidence for intent in reading.intents)
    assert total == pytest.approx(1.0)


def test_given_a_scope_texts_of_little_energy_are_rejected_and_no_intent_is_likely(
    variant: Variant,
) -> None:
    def change(labels: dict[str, Any]) -> None:
        labels["heads"][0]["scope"] = {"threshold": 8.0, "scale": 0.5}

    model = variant(change)
    inside = model.understand("will it rain in london tomorrow")
    outside = model.understand("the seventh son of the old carpenter")

    assert inside.rejected < outside.rejected
    assert outside.intents[0].confidence < inside.intents[0].confidence
    for reading in (inside, outside):
        total = reading.rejected + sum(intent.confidence for intent in reading.intents)
        assert total == pytest.approx(1.0)


def test_given_a_higher_temperature_it_is_less_sure_of_the_same_intent(
    snips: LanguageModel, variant: Variant
) -> None:
    def change(labels: dict[str, Any]) -> None:
        labels["heads"][0]["temperature"] = 4.0

    text = "play some jazz music by miles davis"
    plain, warm = snips.understand(text), variant(change).understand(text)

    assert warm.intents[0].name == plain.intents[0].name
    assert warm.intents[0].confidence < plain.intents[0].confidence - 0.01


def test_given_only_an_intent_head_it_is_a_text_classifier(variant: Variant) -> None:
    def change(labels: dict[str, Any]) -> None:
        labels["heads"] = labels["heads"][:1]
        del labels["intent_slots"]

    reading = variant(change).understand("play some jazz music by miles davis")

    assert reading.intents[0].name == "PlayMusic"
    assert reading.slots == ()


def test_given_only_a_slots_head_it_is_an_entity_tagger(variant: Variant) -> None:
    def change(labels: dict[str, Any]) -> None:
        labels["heads"] = labels["heads"][1:]
        del labels["intent_slots"]

    reading = variant(change).understand("play some jazz music by miles davis")

    assert reading.intents == ()
    assert reading.rejected == 0.0
    assert [slot.name for slot in reading.slots] == ["genre", "artist"]


def test_given_the_slots_an_intent_can_have_it_finds_no_others(variant: Variant) -> None:
    def change(labels: dict[str, Any]) -> None:
        labels["intent_slots"] = {"PlayMusic": ["artist"]}

    reading = variant(change).understand("play some jazz music by miles davis")

    assert [slot.name for slot in reading.slots] == ["artist"]


def test_given_a_word_that_the_recogniser_did_not_know_it_is_the_unknown_token(
    snips: LanguageModel,
) -> None:
    # WordPiece makes the unknown token of any word above 100 characters.
    nonsense = "q" * 101
    heard = snips.understand("will it rain in [unk] tomorrow")
    spelled = snips.understand(f"will it rain in {nonsense} tomorrow")

    assert heard.intents == spelled.intents
    assert [slot.confidence for slot in heard.slots] == [s.confidence for s in spelled.slots]


@pytest.mark.parametrize("text", ["", "   ", "\t\n", "\x07 \x00", "\u200b"])
def test_given_nothing_to_read_it_rejects(snips: LanguageModel, text: str) -> None:
    reading = snips.understand(text)

    assert reading.intents == ()
    assert reading.slots == ()
    assert reading.rejected == 1.0


@pytest.mark.parametrize(
    "text",
    ["play " * 10_000, "x," * 100_000, "雨" * 70, "play jazz " + "a.b.c.d " * 20],
    ids=["10,000 words", "no blanks", "a token a character", "many pieces a word"],
)
def test_given_more_than_it_takes_it_reads_the_beginning_and_says_so(
    snips: LanguageModel, text: str
) -> None:
    reading = snips.understand(text)

    assert reading.truncated
    assert len(reading.intents) == 7


def test_given_exactly_as_much_as_it_takes_nothing_is_cut(snips: LanguageModel) -> None:
    assert not snips.understand("play " * 62).truncated
    assert snips.understand("play " * 63).truncated


def test_given_the_same_text_twice_it_says_the_same(snips: LanguageModel) -> None:
    text = "book a table for two people in paris"

    first = snips.understand(text)
    snips.understand("something of another length in between, to move the memory about")

    assert snips.understand(text) == first


def test_given_a_warm_up_nothing_changes(snips: LanguageModel) -> None:
    before = snips.understand("play some jazz")
    snips.warm_up()

    assert snips.understand("play some jazz") == before


WORDS = st.sampled_from(
    ["play", "jazz", "[unk]", "[CLS]", "[PAD]", "don't", "café", "e\u0301", "🙂", "\x00", "雨", ","]
)
ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=("Cs", "Cc", "Cf", "Zs", "Mn", "Lo")), max_size=40),
    st.lists(WORDS, max_size=30).map(" ".join),
    st.lists(WORDS, max_size=30).map("".join),
)


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_given_any_text_slots_lie_on_words_in_order_and_probabilities_are_ones(text: str) -> None:
    reading = loaded().understand(text)

    starts = {match.start() for match in re.finditer(r"\S+", text)}
    ends = {match.end() for match in re.finditer(r"\S+", text)}
    reached = 0
    for slot in reading.slots:
        assert reached <= slot.start < slot.end
        assert slot.start in starts
        assert slot.end in ends
        assert 0.0 <= slot.confidence <= 1.0
        reached = slot.end
    total = reading.rejected + sum(intent.confidence for intent in reading.intents)
    assert total == pytest.approx(1.0)
