"""Training texts, made from a domain's sentences, keep their meaning or have none."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain import Domain, Example, ExampleSlot
from models.errors import DomainError, ModelError
from models.mobilebert.labels import tag_fault
from models.training.language.alignment import (
    LabelledText,
    align,
    bio_tags,
    count_transitions,
    tag_spans,
)
from models.training.language.augmentation import (
    NOISY,
    Augmenter,
    Rates,
    refill,
)
from models.training.language.corpora import gather as gather_utterances
from models.training.language.corpora import read_utterances, spoken_form
from models.training.language.evaluation import best_temperature
from models.training.language.negatives import Negatives
from models.training.language.scopes import read_scope

COFFEE = Path(__file__).resolve().parents[2] / "configs" / "domains" / "coffee.yaml"
ORDER = LabelledText(
    ("get", "me", "a", "large", "iced", "coffee", "with", "cream"),
    ("O", "O", "O", "B-size", "B-coffeeDrink", "I-coffeeDrink", "O", "B-milkAmount"),
    "orderDrink",
)


@pytest.fixture(scope="module")
def coffee() -> Domain:
    return Domain.load(COFFEE)


def slot_words(text: LabelledText) -> list[tuple[str, tuple[str, ...]]]:
    spans = sorted(tag_spans(text.tags or ()), key=lambda span: span[1])
    return [(name, text.words[first:behind]) for name, first, behind in spans]


def test_given_a_sentence_with_slots_each_word_has_its_tag() -> None:
    example = Example(
        text="get me a large iced coffee",
        intent="orderDrink",
        slots=(ExampleSlot("size", 9, 14, "large"), ExampleSlot("drink", 15, 26, "iced coffee")),
    )

    text = align(example)

    assert text.words == ("get", "me", "a", "large", "iced", "coffee")
    assert text.tags == ("O", "O", "O", "B-size", "B-drink", "I-drink")
    assert text.text == example.text


@pytest.mark.parametrize(("start", "end"), [(10, 14), (9, 13), (8, 14), (9, 15)])
def test_given_a_slot_inside_a_word_it_is_refused_by_name(start: int, end: int) -> None:
    example = Example("get me a large coffee", "order", (ExampleSlot("size", start, end, "large"),))

    with pytest.raises(DomainError, match='slot "size" of "get me a large coffee"'):
        align(example)


def test_given_two_slots_on_one_word_they_are_refused() -> None:
    slots = (ExampleSlot("size", 2, 7, "large"), ExampleSlot("cup", 2, 7, "large"))

    with pytest.raises(DomainError, match="overlaps"):
        align(Example("a large coffee", "order", slots))


def test_given_slots_their_tags_are_a_bio_scheme() -> None:
    tags = bio_tags({"size", "drink"})

    assert tags == ("O", "B-drink", "I-drink", "B-size", "I-size")
    assert tag_fault(tags) is None


def test_given_tags_the_spans_begin_at_every_b() -> None:
    tags = ("B-a", "B-a", "I-a", "O", "B-b")

    assert tag_spans(tags) == {("a", 0, 1), ("a", 1, 3), ("b", 4, 5)}


def test_given_texts_transitions_are_counted_from_the_start() -> None:
    counts = count_transitions([ORDER, LabelledText(("oh", "no"), ("O", "O"), "other")])

    assert counts["<start>"] == {"O": 2}
    assert counts["B-size"] == {"B-coffeeDrink": 1}
    assert counts["O"] == {"B-milkAmount": 1, "B-size": 1, "O": 3}


@given(st.integers())
def test_given_any_seed_augmenting_keeps_intent_slots_and_their_words(seed: int) -> None:
    alike = dict.fromkeys(ORDER.words, ("other",))
    rates = Rates(0.5, 0.5, 0.3, 0.3, 0.3, 0.5, 0.3)

    changed = Augmenter(alike, rates, clean=0.0)(ORDER, Random(seed))

    assert changed.intent == ORDER.intent
    assert len(changed.words) == len(changed.tags or ())
    assert slot_words(changed) == slot_words(ORDER)


def test_given_noise_most_sentences_change_and_the_same_seed_changes_them_alike() -> None:
    augment = Augmenter({}, NOISY, clean=0.0)

    first = [augment(ORDER, Random(seed)) for seed in range(100)]
    second = [augment(ORDER, Random(seed)) for seed in range(100)]

    assert first == second
    assert sum(text != ORDER for text in first) > 50


def test_given_a_text_without_tags_augmenting_gives_it_none() -> None:
    text = LabelledText(("play", "some", "jazz"), None, "play")

    assert Augmenter({}, NOISY, clean=0.0)(text, Random(1)).tags is None


def test_given_other_words_an_open_slot_holds_them() -> None:
    text = refill(ORDER, "coffeeDrink", ["flat", "white", "please"])

    assert text.text == "get me a large flat white please with cream"
    assert slot_words(text)[1] == ("coffeeDrink", ("flat", "white", "please"))
    assert refill(ORDER, "roast", ["dark"]) == ORDER


@pytest.mark.parametrize("texts", [[], ["what is the capital of france", "get me a coffee"]])
def test_given_a_domain_no_negative_is_one_of_its_sentences(
    coffee: Domain, texts: list[str]
) -> None:
    sentences = [align(example) for example in coffee.sample(50, 1)]
    negatives = Negatives(
        texts, sentences, coffee.words(), lambda text: coffee.parse(text) is not None
    )

    drawn = [negatives.draw(Random(seed)) for seed in range(500)]

    assert all(coffee.parse(text.text) is None for text in drawn)
    assert all(text.intent == "<none>" and text.tags is None for text in drawn)
    assert any(text.text == "[unk]" for text in drawn)


def test_given_a_scope_with_an_intent_that_the_domain_lacks_it_is_refused() -> None:
    with pytest.raises(ModelError, match='the domain "home" has no intent "Hass'):
        read_scope("home", ["HassTurnOn"], ["item", "search_query"])


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("What's the weather, please?", "what's the weather please"),
        ("Don’t stop", "don't stop"),
        ("set it to 20 degrees", None),
        ("a twenty-one", "a twenty one"),
        ("  ", None),
        ("café", None),
    ],
)
def test_given_written_text_its_spoken_form_is_words_alone(
    written: str, spoken: str | None
) -> None:
    assert spoken_form(written) == spoken


def test_given_a_text_of_a_test_part_it_is_not_trained_on() -> None:
    rows = [("Play it", "a/play", "train"), ("play it!", "b/play", "test"), ("go", "a/go", "train")]

    kept = list(gather_utterances(rows))  # type: ignore[arg-type]

    assert [(row.text, row.split) for row in kept] == [("play it", "test"), ("go", "train")]


def test_given_a_malformed_line_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "utterances.ndjson"
    good = json.dumps({"text": "go", "label": "a/go", "split": "train"})
    path.write_text(f"{good}\n{good[:-9]}\n")

    with pytest.raises(ModelError, match="line 2"):
        read_utterances(path)


def test_given_logits_that_are_too_sure_the_temperature_is_above_one() -> None:
    rng = np.random.default_rng(0)
    right = rng.integers(0, 3, 2000)
    logits = rng.normal(size=(2000, 3)).astype(np.float32)
    logits[np.arange(2000), right] += 1.0

    fair = best_temperature(list(logits), right.tolist())
    sure = best_temperature(list(3 * logits), right.tolist())

    assert fair == pytest.approx(1.0, abs=0.15)
    assert sure == pytest.approx(3 * fair, rel=0.1)
