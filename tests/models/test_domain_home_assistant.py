"""Home Assistant's own files load unchanged, and its own tests of them pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hassil import sample_expression
from hassil.parse_expression import parse_sentence

from models.domain import Domain, Recognition

HERE = Path(__file__).resolve().parents[1] / "data" / "ha_intents"
OLDER = sorted((HERE / "sentences" / "en").glob("*.yaml"))
NEWER = sorted((HERE / "sentences" / "en").glob("*/*.yaml"))
SHARED = [HERE / "rules", HERE / "lists"]
COMMON = HERE / "sentences" / "en" / "_common.yaml"

PROVIDED: dict[str, Any] = {
    "brightness": {"range": {"type": "percentage", "from": 0, "to": 100}},
    "position": {"range": {"type": "percentage", "from": 0, "to": 100}},
    "search_query": {"wildcard": True},
    "timer_name": {"wildcard": True},
}
"""Lists that Home Assistant itself gives to the files of the newer layout."""


def read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return data


def spoken(name: str) -> str:
    """The shortest way to write a name that is a template: ``Trader Joe[']s``."""
    return min(sample_expression(parse_sentence(name).expression), key=len)


def lists(fixtures: dict[str, Any]) -> dict[str, Any]:
    """The lists that Home Assistant makes from the areas, floors and devices of a house."""

    def named(entry: dict[str, Any]) -> dict[str, Any]:
        return {"in": entry["name"], "out": spoken(entry["name"])}

    def device(entry: dict[str, Any]) -> dict[str, Any]:
        domain = entry.get("domain") or entry["id"].split(".")[0]
        return {**named(entry), "context": {"domain": domain, **entry.get("attributes", {})}}

    made = {
        "area": [named(entry) for entry in fixtures.get("areas", [])],
        "floor": [named(entry) for entry in fixtures.get("floors", [])],
        "name": [device(entry) for entry in fixtures.get("entities", [])],
    }
    # A list is never empty; the words of these are in no test.
    return {name: {"values": values or [f"no {name}"]} for name, values in made.items()}


def cases(path: Path) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Text, intent, slots and context of every test sentence of a file."""
    for test in read(path)["tests"]:
        intent = test.get("intent", {"name": path.parent.name})
        slots = test.get("slots", intent.get("slots", {}))
        for text in test["sentences"]:
            yield text, intent["name"], slots, intent.get("context", {})


def agrees(found: Recognition | None, intent: str, slots: dict[str, Any]) -> bool:
    if found is None or found.intent != intent or found.values.keys() != slots.keys():
        return False
    # Where several values are right, the tests list them.
    return all(
        found.values[name] in (value if isinstance(value, list) else [value])
        for name, value in slots.items()
    )


@pytest.fixture(scope="module")
def house() -> Domain:
    """All files of the older layout, in the house of their tests."""
    fixtures = read(HERE / "tests" / "en" / "_fixtures.yaml")
    return Domain.load(*OLDER, lists=lists(fixtures))


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((HERE / "tests" / "en").glob("*.yaml")) if path.stem[0] != "_"],
    ids=lambda path: path.stem,
)
def test_given_a_test_file_then_every_sentence_means_what_it_says(
    house: Domain, path: Path
) -> None:
    failed = [
        (text, found)
        for text, intent, slots, context in cases(path)
        if not agrees(found := house.recognize(text, context), intent, slots)
    ]
    assert failed == []


@pytest.mark.parametrize(
    "path",
    sorted((HERE / "tests" / "en").glob("*/*.yaml")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_given_a_test_file_of_the_newer_layout_then_every_sentence_means_what_it_says(
    path: Path,
) -> None:
    domain = Domain.load(*SHARED, *NEWER, lists={**PROVIDED, **lists(read(path))})
    failed = [
        (text, found)
        for text, intent, slots, context in cases(path)
        if not agrees(found := domain.recognize(text, context), intent, slots)
    ]
    assert failed == []


@pytest.mark.parametrize(
    "path", [path for path in OLDER if path != COMMON], ids=lambda path: path.stem
)
def test_given_a_single_sentence_file_then_it_loads_with_the_common_one(path: Path) -> None:
    fixtures = {"areas": [{"name": "Kitchen"}], "floors": [{"name": "Attic"}]}
    domain = Domain.load(COMMON, path, lists=lists(fixtures))
    assert set(domain.intents) <= set(read(path)["intents"])
    assert domain.language == "en"


def test_given_the_whole_folder_then_all_of_it_is_one_domain() -> None:
    fixtures = read(HERE / "tests" / "en" / "_fixtures.yaml")
    domain = Domain.load(HERE, lists=lists(fixtures))
    assert domain.name == "ha_intents"
    assert len(domain.files) == len(OLDER) + len(NEWER) + 5 + 33
    assert len(domain.intents) == 33
    assert domain.details["HassVacuumStart"].replies


def test_given_the_house_then_what_is_sampled_is_read_back(house: Domain) -> None:
    """The trees that training and speech recognition use mean the same as the files."""
    examples = [each for each in house.sample(150, seed=5) if "and a half" not in each.text]
    found = [house.recognize(each.text, {"area": "Kitchen"}) for each in examples]
    same = [
        read is not None and read.intent == each.intent
        for each, read in zip(examples, found, strict=True)
    ]
    # Two templates at once, joined by a rule, can give a sentence that hassil does not take.
    assert sum(same) >= 0.98 * len(examples)


def test_given_an_area_in_the_context_then_it_fills_the_slot(house: Domain) -> None:
    found = house.recognize("set the brightness to 50%", {"area": "Bedroom"})
    assert found is not None
    assert found.values == {"brightness": 50, "area": "Bedroom"}
    assert house.recognize("set the brightness to 50%") is None
    text = "please open the curtain left in the living room"
    found = house.recognize(text)
    assert found is not None
    assert {slot.name: text[slot.start : slot.end] for slot in found.slots} == {
        "name": "curtain left",
        "area": "living room",
    }
