"""What a domain file means: sampling, reading, values and the acceptor agree with each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain import Domain, ExampleSlot

KITCHEN = """
language: en
intents:
  Switch:
    data:
      - sentences: ["[<please_do>] turn {state} [the] {lights:domain} [in the {area}]"]
  Dim:
    data:
      - sentences: ["(dim;{lights:domain};now) to {percent:brightness} percent"]
  Heat:
    data:
      - sentences: ["<heat> to {temperature} degrees"]
        expansion_rules: {heat: "(heat|warm [up])"}
expansion_rules:
  please_do: "would you"
  heat: "never said"
lists:
  state: {values: ["on", "off"]}
  area: {values: ["kitchen", {in: "(dining|living) room", out: lounge}]}
  lights: {values: [{in: "light[s]", out: light}]}
  percent: {range: {from: 0, to: 100, type: percentage}}
  temperature: {range: {from: 18, to: 21, fractions: halves}}
skip_words: [please]
"""


def load(folder: Path, text: str = KITCHEN) -> Domain:
    path = folder / "kitchen.yaml"
    path.write_text(text, encoding="utf-8")
    return Domain.load(path)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    return load(tmp_path_factory.mktemp("domain"))


def test_given_a_file_then_name_language_intents_and_slots_are_known(kitchen: Domain) -> None:
    assert (kitchen.name, kitchen.language) == ("kitchen", "en")
    assert kitchen.intents == ("Switch", "Dim", "Heat")
    assert kitchen.slots_of("Switch") == {"state", "domain", "area"}
    assert kitchen.slots_of("Heat") == {"temperature"}
    assert kitchen.slots == {"state", "domain", "area", "brightness", "temperature"}


def test_given_a_sentence_then_its_slots_have_spans_and_canonical_values(kitchen: Domain) -> None:
    text = "would you turn on the lights in the dining room"
    example = kitchen.parse(text)
    assert example is not None
    assert example.intent == "Switch"
    assert example.slots == (
        ExampleSlot("state", 15, 17, "on"),
        ExampleSlot("domain", 22, 28, "light"),
        ExampleSlot("area", 36, 47, "lounge"),
    )
    assert [text[slot.start : slot.end] for slot in example.slots] == [
        "on",
        "lights",
        "dining room",
    ]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("turn off light", "Switch"),
        ("please turn off light please", "Switch"),
        ("dim lights now to five percent", "Dim"),
        ("now light dim to five percent", "Dim"),
        ("warm up to twenty degrees", "Heat"),
        ("", None),
        ("please", None),
        ("turn the lights", None),
        ("turn on the light s", None),
        ("turn on the lightss", None),
        ("dim dim lights to five percent", None),
        ("never said to twenty degrees", None),
        ("turn off lightplease", None),
    ],
)
def test_given_a_text_then_reading_and_acceptor_decide_alike(
    kitchen: Domain, text: str, intent: str | None
) -> None:
    example = kitchen.parse(text)
    assert (example and example.intent) == intent
    for acceptor in (kitchen.acceptor(), kitchen.acceptor().determinized()):
        assert acceptor.intents(text.split()) == ({intent} if intent else frozenset())
    assert kitchen.acceptor().minimized().accepts(text.split()) == (intent is not None)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_given_any_sampled_sentence_then_it_reads_back_to_the_same(
    kitchen: Domain, seed: int
) -> None:
    (example,) = kitchen.sample(1, seed)
    in_order = sorted(example.slots, key=lambda slot: slot.start)
    readings = {(found.intent, found.slots) for found in kitchen.parses(example.text)}
    assert (example.intent, tuple(in_order)) in readings
    assert " ".join(example.text.split()) == example.text
    assert kitchen.acceptor().intents(example.text.split()) == {example.intent}
    for slot in example.slots:
        assert kitchen.resolve(slot.name, example.text[slot.start : slot.end]) == slot.value


def test_given_a_seed_then_samples_repeat_and_are_balanced(kitchen: Domain) -> None:
    examples = kitchen.sample(300, seed=1)
    assert examples == kitchen.sample(300, seed=1)
    assert examples != kitchen.sample(300, seed=2)
    counts = [sum(example.intent == name for example in examples) for name in kitchen.intents]
    assert counts == [100, 100, 100]


def test_given_many_samples_then_every_order_option_and_value_occurs(kitchen: Domain) -> None:
    texts = [example.text for example in kitchen.sample(3000, seed=3)]
    firsts = {text.split()[0] for text in texts}
    assert {"would", "turn", "dim", "now", "light", "lights", "heat", "warm", "please"} <= firsts
    assert set(" ".join(texts).split()) == kitchen.words()


def test_given_number_words_then_values_are_numbers(kitchen: Domain) -> None:
    assert kitchen.resolve("brightness", "twenty one") == 21
    assert kitchen.resolve("brightness", "One Hundred") == 100
    assert kitchen.resolve("brightness", "a hundred") == 100
    assert isinstance(kitchen.resolve("brightness", "zero"), int)
    assert kitchen.resolve("temperature", "nineteen point five") == 19.5
    assert kitchen.resolve("temperature", "nineteen and a half") == 19.5


def test_given_unknown_words_or_slots_then_the_value_is_the_words(kitchen: Domain) -> None:
    assert kitchen.resolve("area", "Winter Garden") == "Winter Garden"
    assert kitchen.resolve("colour", "red") == "red"


def test_given_a_value_without_out_then_the_value_is_exactly_the_words(tmp_path: Path) -> None:
    domain = load(
        tmp_path,
        "language: en\nintents: {Go: {data: [{sentences: ['go {where}']}]}}\n"
        "lists: {where: {values: ['[far] away']}}",
    )
    assert domain.resolve("where", "far away") == "far away"


def test_given_a_local_list_then_it_hides_the_global_one_in_its_block_only(tmp_path: Path) -> None:
    domain = load(
        tmp_path,
        """
language: en
intents:
  Go:
    data:
      - sentences: ["go {where}"]
        lists: {where: {values: [left]}}
      - sentences: ["walk {where}"]
lists: {where: {values: [right]}}
""",
    )
    assert domain.parse("go left") is not None
    assert domain.parse("go right") is None
    assert domain.parse("walk right") is not None


def test_given_two_intents_with_one_sentence_then_the_acceptor_names_both(tmp_path: Path) -> None:
    domain = load(
        tmp_path,
        "language: en\nintents:\n  A: {data: [{sentences: ['go [on]']}]}\n"
        "  B: {data: [{sentences: ['go']}]}\n",
    )
    acceptor = domain.acceptor().determinized()
    assert acceptor.intents(["go"]) == {"A", "B"}
    assert acceptor.intents(["go", "on"]) == {"A"}


@settings(deadline=None)
@given(
    sentences=st.lists(
        st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(" ".join),
        min_size=1,
        max_size=8,
    )
)
def test_given_any_sentences_then_the_smallest_acceptor_takes_exactly_them(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[str]
) -> None:
    quoted = ", ".join(f"'{sentence}'" for sentence in sentences)
    path = tmp_path_factory.mktemp("any") / "any.yaml"
    path.write_text(f"language: en\nintents: {{A: {{data: [{{sentences: [{quoted}]}}]}}}}\n")
    smallest = Domain.load(path).acceptor().minimized()
    found = set()
    pending: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    while pending:
        state, words = pending.pop()
        if state in smallest.finals:
            found.add(" ".join(words))
        pending += [(a.target, (*words, a.word)) for a in smallest.arcs if a.source == state]
    assert found == set(sentences)
