"""Sentences in other words keep intent and slots; what sounds alike may be misheard."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from models.domain import Domain
from models.errors import ModelError
from models.training.language import paraphrase
from models.training.language.alignment import LabelledText, align, tag_spans
from models.training.language.confusions import sound_alikes
from models.training.language.outside import read_outside
from models.training.language.paraphrase import Paraphraser, read_rules

ROOT = Path(__file__).resolve().parents[2]
LAMP = LabelledText(
    ("turn", "on", "the", "desk", "lamp"), ("O", "O", "O", "B-name", "I-name"), "HassTurnOn"
)


def slot_words(text: LabelledText) -> set[tuple[str, tuple[str, ...]]]:
    spans = tag_spans(text.tags or ())
    return {(name, text.words[first:behind]) for name, first, behind in spans}


@pytest.fixture(scope="module")
def english() -> Paraphraser:
    rules = read_rules("en")
    assert rules is not None
    return Paraphraser(rules)


def test_given_a_command_it_is_said_in_many_ways_with_the_same_meaning(
    english: Paraphraser,
) -> None:
    rng = Random(1)

    said = [english(LAMP, rng) for _ in range(300)]

    assert len({text.text for text in said}) > 100
    assert "put on the desk lamp" in {text.text for text in said}
    assert {text.intent for text in said} == {"HassTurnOn"}
    assert all(slot_words(text) == {("name", ("desk", "lamp"))} for text in said)


def test_given_a_whole_domain_no_slot_is_lost_or_changed(english: Paraphraser) -> None:
    home = Domain.load(ROOT / "configs" / "domains" / "home.yaml")
    rng = Random(2)

    for example in home.sample(1500, seed=4):
        text = align(example)
        said = english(text, rng)
        assert slot_words(said) == slot_words(text), said.text
        assert said.intent == text.intent


def test_given_the_same_generator_the_words_are_the_same(english: Paraphraser) -> None:
    assert [english(LAMP, Random(n)) for n in range(9)] == [
        english(LAMP, Random(n)) for n in range(9)
    ]


def test_given_a_value_that_looks_like_a_command_it_stays_a_value(english: Paraphraser) -> None:
    song = LabelledText(
        ("play", "turn", "off", "the", "light"),
        ("O", "B-song", "I-song", "I-song", "I-song"),
        "Play",
    )
    rng = Random(3)

    for _ in range(200):
        assert slot_words(english(song, rng)) == {("song", ("turn", "off", "the", "light"))}


def test_given_the_paraphrases_for_tests_the_rules_make_hardly_one_of_them(
    english: Paraphraser,
) -> None:
    """They are there to show what was not trained."""
    path = ROOT / "tests" / "data" / "home_paraphrases.ndjson"
    kept = {json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()}
    home = Domain.load(ROOT / "configs" / "domains" / "home.yaml")
    rng = Random(5)

    made = {english(align(example), rng).text for example in home.sample(4000, seed=5)}

    assert len(made & kept) <= len(kept) // 50


def test_given_a_language_without_rules_there_is_no_paraphraser() -> None:
    assert read_rules("tlh") is None


def test_given_a_broken_file_of_rules_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "paraphrases.xx.yaml").write_text("rewrites: 3\n")
    monkeypatch.setattr(paraphrase, "__file__", str(tmp_path / "paraphrase.py"))

    with pytest.raises(ModelError, match=r"paraphrases\.xx\.yaml"):
        read_rules("xx")


def test_given_the_shipped_texts_they_have_labels_and_a_licence() -> None:
    rows = read_outside("en")

    assert len(rows) > 4000
    assert {row.label.split("/")[0] for row in rows} == {"clinc150", "hwu64"}
    assert all(row.text == row.text.lower() and row.text for row in rows)
    assert read_outside("tlh") == ()


def test_given_words_that_sound_alike_they_are_found() -> None:
    found = sound_alikes({"light", "four", "kitchen"}, {"right", "lied", "for", "fore", "window"})

    assert "lied" in found["light"]
    assert {"for", "fore"} <= set(found["four"])
    assert "kitchen" not in found
