"""What a domain file may say besides its sentences, and the schema that editors use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from models.domain import WILDCARD, Domain
from models.domain.schema import json_schema
from models.errors import DomainError
from models.vosk.grammar import strict_grammar

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "pipeline" / "schemas" / "domain.schema.json"

ROBOT = """
language: en
description: A robot that fetches things
intents:
  Fetch:
    description: Bring a thing from somewhere
    threshold: 0.7
    required: {thing: "What shall I fetch?"}
    confirm: "Shall I fetch the {{ thing }}?"
    replies:
      default: "I fetch the {{ thing }}"
      far: "That is far away"
    examples:
      - fetch the cup
      - {text: fetch the mug from the cellar, slots: {thing: cup, place: cellar}}
    data:
      - sentences: ["fetch [the {thing}] [from the {place}]"]
      - sentences: ["go far away"]
        response: far
        slots: {place: moon}
  Stop:
    confirm: true
    replies: "I stop"
    data:
      - sentences: [stop]
slots:
  place: {type: text, description: a room}
lists:
  thing:
    values:
      - {in: cup, synonyms: [mug, "[tea] bowl"]}
      - book
  place: {wildcard: true, examples: [cellar, upper attic]}
examples:
  - {text: "what is the weather", intent: null}
"""


@pytest.fixture
def robot(tmp_path: Path) -> Domain:
    path = tmp_path / "robot.yaml"
    path.write_text(ROBOT, encoding="utf-8")
    return Domain.load(path)


def test_given_details_then_they_are_read(robot: Domain) -> None:
    fetch, stop = robot.details["Fetch"], robot.details["Stop"]
    assert fetch.description == "Bring a thing from somewhere"
    assert (fetch.threshold, stop.threshold) == (0.7, None)
    assert fetch.required == {"thing": "What shall I fetch?"}
    assert (fetch.confirm, stop.confirm) == ("Shall I fetch the {{ thing }}?", "Are you sure?")
    assert fetch.replies == {"default": "I fetch the {{ thing }}", "far": "That is far away"}
    assert stop.replies == {"default": "I stop"}


def test_given_examples_then_they_are_read_with_their_lines(robot: Domain) -> None:
    found = [(each.text, each.intent, each.slots, each.line) for each in robot.examples]
    assert found == [
        ("what is the weather", None, None, 35),
        ("fetch the cup", "Fetch", None, 14),
        ("fetch the mug from the cellar", "Fetch", {"thing": "cup", "place": "cellar"}, 15),
    ]


def test_given_synonyms_then_they_have_the_value_of_the_first(robot: Domain) -> None:
    for words in ("cup", "mug", "bowl", "tea bowl"):
        assert robot.resolve("thing", words) == "cup"
        found = robot.recognize(f"fetch the {words}")
        assert found is not None
        assert found.values == {"thing": "cup"}
    assert robot.resolve("thing", "book") == "book"


def test_given_a_wildcard_then_any_words_fill_it(robot: Domain) -> None:
    text = "fetch the cup from the old house by the sea"
    example, found = robot.parse(text), robot.recognize(text)
    assert example is not None
    assert found is not None
    assert example.slots == found.slots
    assert found.values == {"thing": "cup", "place": "old house by the sea"}
    assert text[found.slots[1].start : found.slots[1].end] == "old house by the sea"


def test_given_a_wildcard_with_examples_then_they_are_sampled_and_known(robot: Domain) -> None:
    texts = " ".join(example.text for example in robot.sample(200, seed=1))
    assert "from the cellar" in texts
    assert {"cellar", "upper", "attic"} <= robot.words()


def test_given_implied_slots_then_they_need_no_words(robot: Domain) -> None:
    example, found = robot.parse("go far away"), robot.recognize("go far away")
    assert example is not None
    assert found is not None
    assert (example.slots, example.implied) == ((), (("place", "moon"),))
    assert (found.values, found.response) == ({"place": "moon"}, "far")


def test_given_a_folder_then_its_files_are_one_domain(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "language: en\nintents: {Go: {data: [{sentences: ['go <where>']}]}}\nskip_words: [now]\n"
    )
    (tmp_path / "b.yaml").write_text(
        "language: en\nintents: {Go: {data: [{sentences: ['run <where>']}]}}\n"
        "expansion_rules: {where: 'to {room}'}\nskip_words: [quickly]\n"
    )
    domain = Domain.load(tmp_path, lists={"room": {"values": ["kitchen"]}})
    assert domain.name == tmp_path.name
    assert domain.skip_words == ("now", "quickly")
    for text in ("go to kitchen", "run to kitchen now", "quickly run to kitchen"):
        assert domain.parse(text) is not None


OVEN = """
language: en
intents:
  Bake:
    data:
      - sentences: ["bake it [for {length}] [in {where}] [at {heat}]"]
      - sentences: ["level {1..5:level}"]
lists:
  length: {type: duration}
  heat: {type: temperature, examples: [two hundred degrees]}
  where: {values: [{in: upper oven, out: 1}, {in: lower oven, out: 2}]}
"""


@pytest.fixture(scope="module")
def oven(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    path = tmp_path_factory.mktemp("domain") / "oven.yaml"
    path.write_text(OVEN, encoding="utf-8")
    return Domain.load(path)


def test_given_a_spoken_type_then_any_words_of_it_fill_the_slot(oven: Domain) -> None:
    text = (
        "bake it for an hour and twenty minutes in the lower oven at a hundred and eighty degrees"
    )
    text = text.replace("the lower", "lower")
    example, found = oven.parse(text), oven.recognize(text)
    assert example is not None
    assert found is not None
    assert example.slots == found.slots
    typed = {s.name: oven.value(s.name, text[s.start : s.end]) for s in found.slots}
    assert {name: (value.value, value.unit) for name, value in typed.items()} == {
        "length": (4800, "seconds"),
        "where": (2, None),
        "heat": (180, None),
    }
    assert {name: oven.type_of(name) for name in typed} == {
        "length": "duration",
        "where": "list",
        "heat": "temperature",
    }


def test_given_words_that_are_no_value_of_the_type_then_it_is_no_sentence(oven: Domain) -> None:
    for text in ("bake it for the children", "bake it at home"):
        assert oven.parse(text) is None
        assert oven.recognize(text) is None
    assert oven.value("length", "the children").value == "the children"


def test_given_a_spoken_type_then_typical_phrases_are_sampled_and_in_the_grammar(
    oven: Domain,
) -> None:
    lengths = set()
    acceptor = oven.acceptor()
    for example in oven.sample(200, seed=3):
        assert oven.recognize(example.text) is not None, example.text
        assert acceptor.accepts(example.text.split())
        lengths |= {example.text[s.start : s.end] for s in example.slots if s.name == "length"}
    assert len(lengths) > 20
    assert all(isinstance(oven.resolve("length", words), int | float) for words in lengths)


def test_given_a_range_in_the_template_then_its_numbers_are_the_values(oven: Domain) -> None:
    assert oven.resolve("level", "three") == 3
    assert oven.parse("level six") is None


def test_given_a_spoken_type_in_another_language_then_the_error_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ofen.yaml"
    path.write_text(OVEN.replace("language: en", "language: de"), encoding="utf-8")
    with pytest.raises(DomainError, match="the type duration is known in English only"):
        Domain.load(path)


def test_given_any_words_then_the_acceptor_and_the_grammar_take_unknown_speech(
    tmp_path: Path,
) -> None:
    path = tmp_path / "notes.yaml"
    path.write_text(
        "language: en\nintents: {Note: {data: [{sentences: ['note {message}']}]}}\n"
        "lists: {message: {wildcard: true}}\n"
    )
    domain = Domain.load(path)
    assert domain.words() == {"note"}
    acceptor = domain.acceptor().minimized()
    assert acceptor.accepts(["note", WILDCARD])
    grammar = strict_grammar(acceptor, {"<eps>": 0, "note": 1, "[unk]": 2})
    assert {arc.label for arcs in grammar.arcs for arc in arcs} == {1, 2}


def test_given_the_shape_then_the_published_schema_is_it() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema()


HOME_ASSISTANT = sorted((ROOT / "tests" / "data" / "ha_intents" / "sentences" / "en").glob("*_*"))


@pytest.mark.parametrize(
    "path",
    [*(ROOT / "configs" / "domains").glob("*.yaml"), *HOME_ASSISTANT],
    ids=lambda path: path.stem,
)
def test_given_a_domain_file_then_the_schema_takes_it(path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "intents" in data:  # files of lists and rules only are parts of a domain
        jsonschema.Draft202012Validator(schema).validate(data)


@pytest.mark.parametrize(
    "mistake",
    [
        {"intens": {}},
        {"intents": {}},
        {"intents": {"Go": {"data": [{"sentences": [1]}]}}},
        {"intents": {"Go": {"data": [{"sentences": ["go"], "colour": "red"}]}}},
        {"lists": {"a": {"range": {"from": 1}}}},
    ],
)
def test_given_a_mistake_then_the_schema_refuses_it(mistake: dict[str, Any]) -> None:
    good = {"language": "en", "intents": {"Go": {"data": [{"sentences": ["go"]}]}}}
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, **mistake})


def test_given_the_robot_then_the_schema_takes_it() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(ROBOT))
