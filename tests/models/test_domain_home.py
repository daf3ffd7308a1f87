"""The home domain: unambiguous, every list in use, Home Assistant's names, recognisable words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hassil import Intents, recognize_best

from models.domain import Domain
from models.vosk.words import missing_words

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "configs" / "domains" / "home.yaml"

OWN_FORMS = ("a hundred", "and a half")
"""Ways to say a number that hassil does not know."""


@pytest.fixture(scope="module")
def home() -> Domain:
    return Domain.load(PATH)


def test_given_all_sentences_then_none_has_two_intents(home: Domain) -> None:
    finals = home.acceptor().determinized().finals
    assert {intents for intents in finals.values() if len(intents) > 1} == set()


def test_given_samples_then_each_reads_in_one_way_only(home: Domain) -> None:
    for example in home.sample(600, seed=11):
        readings = {(found.intent, found.slots) for found in home.parses(example.text)}
        in_order = sorted(example.slots, key=lambda slot: slot.start)
        assert readings == {(example.intent, tuple(in_order))}, example.text


def test_given_the_lists_then_each_is_used_by_a_sentence(home: Domain) -> None:
    written = yaml.safe_load(PATH.read_text(encoding="utf-8"))["lists"]
    used = {values.name for slot in home.slots for values in home.lists_of(slot)}
    assert used == set(written)


def test_given_the_samples_then_every_word_is_reached(home: Domain) -> None:
    said = {word for example in home.sample(12_000, seed=2) for word in example.text.split()}
    # Number words and rare names stand in long lists; all but a few come up.
    assert len(home.words() - said) <= len(home.words()) // 50


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("turn on the kitchen lights", "HassTurnOn", {"area": "kitchen", "domain": "light"}),
        ("switch the coffee machine off", "HassTurnOff", {"name": "coffee machine"}),
        ("turn off all lights upstairs", "HassTurnOff", {"domain": "light", "floor": "upstairs"}),
        (
            "set the bedside lamp to fifty percent",
            "HassLightSet",
            {"name": "bedside lamp", "brightness": 50},
        ),
        (
            "make the living room lights red",
            "HassLightSet",
            {"area": "living room", "domain": "light", "color": "red"},
        ),
        (
            "open the bedroom blinds to thirty percent",
            "HassSetPosition",
            {"area": "bedroom", "device_class": "blind", "position": 30},
        ),
        ("unlock the front door", "HassTurnOff", {"name": "front door"}),
        (
            "set the temperature to twenty one and a half degrees in the office",
            "HassClimateSetTemperature",
            {"temperature": 21.5, "area": "office"},
        ),
        ("what is the temperature in the attic", "HassClimateGetTemperature", {"area": "attic"}),
        (
            "play hotel california in the kitchen",
            "HassMediaSearchAndPlay",
            {"search_query": "hotel california", "area": "kitchen"},
        ),
        ("set the volume to a hundred percent", "HassSetVolume", {"volume_level": 100}),
        ("set a timer for ten minutes", "HassStartTimer", {"minutes": 10}),
        (
            "start a timer for two and a half hours",
            "HassStartTimer",
            {"hours": 2, "minutes": 30},
        ),
        ("cancel the pizza timer", "HassCancelTimer", {"name": "pizza"}),
        ("add five minutes to the timer", "HassIncreaseTimer", {"minutes": 5}),
        ("how much time is left on the timer", "HassTimerStatus", {}),
        ("add milk to my shopping list", "HassShoppingListAddItem", {"item": "milk"}),
        (
            "add call the dentist to my to do list",
            "HassListAddItem",
            {"item": "call the dentist", "name": "to do"},
        ),
        ("what is the weather like tomorrow", "HassGetWeather", {}),
        ("what time is it", "HassGetCurrentTime", {}),
        ("what is today's date", "HassGetCurrentDate", {}),
        (
            "are any windows open in the bathroom",
            "HassGetState",
            {"device_class": "window", "state": "open", "area": "bathroom"},
        ),
        ("activate the movie scene", "HassTurnOn", {"name": "movie"}),
        ("could you vacuum the living room", "HassVacuumStart", {"area": "living room"}),
        ("never mind", "HassNevermind", {}),
    ],
)
def test_given_a_common_command_then_it_means_what_home_assistant_says(
    home: Domain, text: str, intent: str, slots: dict[str, object]
) -> None:
    example = home.parse(text)
    assert example is not None
    assert example.intent == intent
    assert {slot.name: slot.value for slot in example.slots} == slots


def test_given_the_shipped_model_then_it_has_every_word(home: Domain) -> None:
    words = ROOT / "models" / "weights" / "vosk-en" / "graph" / "words.txt"
    assert missing_words(home.words(), words) == ()


def test_given_samples_then_hassil_itself_reads_them_alike(home: Domain) -> None:
    """Home Assistant's own recogniser is the reference for what a template file means."""
    with PATH.open(encoding="utf-8") as file:
        intents = Intents.from_yaml(file)
    for example in home.sample(120, seed=21):
        if any(form in example.text for form in OWN_FORMS):
            continue
        result = recognize_best(example.text, intents, language="en")
        assert result is not None, example.text
        assert result.intent.name == example.intent, example.text
        slots = {slot.name: slot.value for slot in example.slots}
        found = {entity.name: entity.value for entity in result.entities_list}
        # Where values have no "out", hassil keeps the template or a blank at the end.
        assert {name: _words(value) for name, value in found.items()} == slots, example.text


def _words(value: object) -> object:
    return value.strip() if isinstance(value, str) else value
