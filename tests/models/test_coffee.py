"""The coffee domain is complete: every order of its parts, each part at most once."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain import Acceptor, Domain
from models.vosk.compile import compile_domain
from models.vosk.manifest import read_manifest
from models.vosk.words import file_hash, missing_words

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "weights"

BEGINNINGS = ["brew", "can i get", "can i have", "i want", "get me", "give me"]
BEGINNINGS += ["i'd like", "make me", "may i have"]
SIZES = ["small", "medium", "large"]
SIZES += ["eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce"]
ROASTS = ["light roast", "medium roast", "dark roast"]
SHOTS = ["single shot", "double shot", "triple shot"]
DRINKS = ["americano", "cappuccino", "espresso", "latte", "mocha", "iced mocha"]
DRINKS += ["coffee", "iced coffee", "drip coffee", "house coffee"]
QUANTITIES = ("", "some ", "a lot of ", "lots of ", "a bit of ", "a little bit of ")
MILKS = ("milk", "skim milk", "whole milk", "soy milk", "almond milk", "cream")
SUGARS = ("sugar", "brown sugar", "sweetener")


@pytest.fixture(scope="module")
def coffee() -> Domain:
    return Domain.load(ROOT / "configs" / "domains" / "coffee.yaml")


@pytest.fixture(scope="module")
def acceptor(coffee: Domain) -> Acceptor:
    return coffee.acceptor().minimized()


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """An order in words, and its slots."""
    before = {"size": SIZES, "roast": ROASTS, "numberOfShots": SHOTS}
    behind = {
        "milkAmount": [quantity + milk for quantity in QUANTITIES for milk in MILKS],
        "sugarAmount": [quantity + sugar for quantity in QUANTITIES for sugar in SUGARS],
    }
    chosen = {
        name: draw(st.sampled_from(values))
        for name, values in {**before, **behind}.items()
        if draw(st.booleans())
    }
    drink = draw(st.sampled_from(DRINKS))
    first = draw(st.permutations([value for name, value in chosen.items() if name in before]))
    last = draw(st.permutations([value for name, value in chosen.items() if name in behind]))
    words = [draw(st.sampled_from(BEGINNINGS)), draw(st.sampled_from(["a", "an"])), *first, drink]
    if last:
        words += ["with", " and ".join(last)]
    return " ".join(words), {**chosen, "coffeeDrink": drink}


@settings(deadline=None)
@given(order=orders())
def test_given_any_order_then_it_is_accepted_with_exactly_its_slots(
    coffee: Domain, acceptor: Acceptor, order: tuple[str, dict[str, str]]
) -> None:
    text, slots = order
    assert acceptor.accepts(text.split())
    readings = {(found.intent, found.slots) for found in coffee.parses(text)}
    assert len(readings) == 1
    ((intent, found),) = readings
    assert intent == "orderDrink"
    assert {slot.name: slot.value for slot in found} == slots
    assert {slot.name: text[slot.start : slot.end] for slot in found} == slots


@settings(deadline=None)
@given(seed=st.integers(0, 100_000))
def test_given_any_sample_then_it_is_accepted(
    coffee: Domain, acceptor: Acceptor, seed: int
) -> None:
    (example,) = coffee.sample(1, seed)
    assert acceptor.accepts(example.text.split())


def test_given_all_three_then_every_order_before_the_drink_is_accepted(acceptor: Acceptor) -> None:
    for parts in permutations(["small", "dark roast", "double shot"]):
        assert acceptor.accepts(f"get me a {' '.join(parts)} latte".split())


def test_given_the_sentences_then_their_number_is_that_of_the_definition(
    acceptor: Acceptor,
) -> None:
    """9 beginnings, 2 articles, the ordered subsets, 10 drinks, and the five endings."""
    sizes, roasts, shots = len(SIZES), len(ROASTS), len(SHOTS)
    pairs = sizes * roasts + sizes * shots + roasts * shots
    before = 1 + sizes + roasts + shots + 2 * pairs + 6 * sizes * roasts * shots
    milk, sugar = len(QUANTITIES) * len(MILKS), len(QUANTITIES) * len(SUGARS)
    expected = 9 * 2 * before * 10 * (1 + milk + sugar + 2 * milk * sugar)
    following: dict[int, list[int]] = {}
    for arc in acceptor.arcs:
        following.setdefault(arc.source, []).append(arc.target)
    counts: dict[int, int] = {}

    def count(state: int) -> int:
        if state not in counts:
            further = sum(count(target) for target in following.get(state, ()))
            counts[state] = further + (state in acceptor.finals)
        return counts[state]

    assert count(0) == expected


@pytest.mark.parametrize(
    "text",
    [
        "can i have a small iced coffee with milk and milk",
        "can i have a small iced coffee with milk with sugar",
        "can i have a small iced coffee with",
        "can i have a small small coffee",
        "can i have a small large coffee",
        "can i have a coffee small",
        "can i have coffee",
        "can i have a small",
        "can i have a coffee with cold milk",
        "can i have a coffee with skim cream",
        "can i have a coffee with sugar and brown sugar",
        "i'd like a iced latte",
        "please make me a coffee",
        "make me a coffee please",
    ],
)
def test_given_anything_else_then_it_is_rejected(
    coffee: Domain, acceptor: Acceptor, text: str
) -> None:
    assert not acceptor.accepts(text.split())
    assert coffee.parse(text) is None


def test_given_an_order_then_values_are_exactly_the_words(coffee: Domain) -> None:
    example = coffee.parse(
        "can i have a sixteen ounce iced coffee with some skim milk and brown sugar"
    )
    assert example is not None
    assert {slot.name: slot.value for slot in example.slots} == {
        "size": "sixteen ounce",
        "coffeeDrink": "iced coffee",
        "milkAmount": "some skim milk",
        "sugarAmount": "brown sugar",
    }
    assert coffee.resolve("size", "sixteen ounce") == "sixteen ounce"


def test_given_the_shipped_model_then_it_has_every_word(coffee: Domain) -> None:
    assert missing_words(coffee.words(), WEIGHTS / "vosk-en" / "graph" / "words.txt") == ()


def test_given_the_shipped_grammar_then_it_is_what_the_domain_compiles_to(
    coffee: Domain, tmp_path: Path
) -> None:
    shipped = WEIGHTS / "vosk-coffee"
    manifest = read_manifest(shipped)
    assert manifest is not None
    assert manifest.base_phones == file_hash(WEIGHTS / "vosk-en" / "graph" / "phones.txt")
    compile_domain(coffee, WEIGHTS / "vosk-en", tmp_path / "coffee")
    for name in ("HCLG.fst", "words.txt"):
        assert (tmp_path / "coffee" / name).read_bytes() == (shipped / name).read_bytes()
