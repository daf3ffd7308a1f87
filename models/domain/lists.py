"""The slot lists of a domain file: words, ranges of numbers, wildcards, spoken types."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hassil.intents import RangeFractionType, RangeSlotList
from hassil.numbers import get_rbnf_engine
from hassil.util import is_template

from models.domain.numbers import spoken_numbers
from models.domain.shape import ListShape, RangeShape, ValueShape, keys
from models.domain.source import KeyPath, Source
from models.domain.template import Choice, ListValue, Node, SlotValue, Text, ValueList
from models.values import SPOKEN_TYPES, parse_value, typical_phrases

VALUE_KEYS = keys(ValueShape)
RANGE_KEYS = keys(RangeShape)
LIST_KEYS = keys(ListShape)
KINDS = ("values", "range", "wildcard", "type")
RANGE_TYPES = {"number": "number", "percentage": "percent", "temperature": "temperature"}
"""Types of ranges as Home Assistant names them, and as slots have them."""

SAMPLES = ("something", "anything", "this and that", "the usual thing", "one of those", "it")
"""What is said in training for a wildcard without examples."""

ParseTemplate = Callable[[object, KeyPath], Node | None]
"""Turns the words of a value into a tree; None where they can only be written, not said."""


def read_list(
    source: Source, name: str, body: object, path: KeyPath, language: str, parse: ParseTemplate
) -> ValueList:
    """Make the list written at ``path``. Raises DomainError for what is no list."""
    content = source.mapping(body, path)
    source.known_keys(content, LIST_KEYS, path)
    kinds = [kind for kind in KINDS if kind in content]
    kind = next(iter(kinds), None)
    if kind is None or (len(kinds) > 1 and kinds[1:] != ["type"]):
        source.fail(path, "needs either values or range, wildcard: true, or a spoken type")
    if "type" in content and content["type"] not in (*SPOKEN_TYPES, "list", "text"):
        source.fail((*path, "type"), f"must be one of {', '.join((*SPOKEN_TYPES, 'text'))}")
    if kind == "range":
        return _range(source, name, content, path, language)
    if kind == "values":
        return _values(source, name, content, path, parse)
    if kind == "wildcard" and content["wildcard"] is not True:
        source.fail((*path, "wildcard"), "must be true, or left out")
    return _open(source, name, content, path, language, parse)


def _values(
    source: Source, name: str, content: dict[str, Any], path: KeyPath, parse: ParseTemplate
) -> ValueList:
    entries = source.sequence(content["values"], (*path, "values"))

    def make() -> tuple[ListValue, ...]:
        made = [
            (number, _read_value(source, entry, (*path, "values", number), parse))
            for number, entry in enumerate(entries)
        ]
        sayable = {value.value for _, value in made if value}
        for number, value in made:
            # "1/2" beside "half" is how people write it; alone it could never be heard.
            out = entries[number].get("out") if isinstance(entries[number], dict) else None
            if value is None and (out is None or out not in sayable) and source.strict:
                source.fail((*path, "values", number), "can't be spoken: use letters only")
        return tuple(value for _, value in made if value)

    return ValueList(name, make, content.get("type", "list"))


def _read_value(
    source: Source, entry: object, path: KeyPath, parse: ParseTemplate
) -> ListValue | None:
    if not isinstance(entry, dict):
        node = parse(entry, path)
        return ListValue(node, None) if node else None
    source.known_keys(entry, VALUE_KEYS, path)
    value = entry.get("out")
    if value is not None and (isinstance(value, bool) or not isinstance(value, SlotValue)):
        source.fail((*path, "out"), "must be a string or a number: put it in quotes")
    context = source.mapping(entry.get("context", {}), (*path, "context"))
    node = parse(entry.get("in"), (*path, "in"))
    if "synonyms" in entry:
        others = source.sequence(entry["synonyms"], (*path, "synonyms"))
        nodes = [node] + [parse(o, (*path, "synonyms", n)) for n, o in enumerate(others)]
        node = Choice(tuple(found for found in nodes if found)) if any(nodes) else None
        if value is None and is_template(entry["in"]):
            source.fail((*path, "synonyms"), "with a template as in, say what is meant with out")
        value = entry["in"] if value is None else value
    return ListValue(node, value, context) if node else None


def _open(
    source: Source,
    name: str,
    content: dict[str, Any],
    path: KeyPath,
    language: str,
    parse: ParseTemplate,
) -> ValueList:
    kind = content.get("type", "text")
    if kind in SPOKEN_TYPES and language.split("-")[0].split("_")[0] != "en":
        source.fail((*path, "type"), f"the type {kind} is known in English only: use values")
    written = content.get("examples")
    if written is not None:
        entries = source.sequence(written, (*path, "examples"))
        nodes = [parse(entry, (*path, "examples", n)) for n, entry in enumerate(entries)]
        if source.strict and None in nodes:
            number = nodes.index(None)
            source.fail((*path, "examples", number), "can't be spoken: use letters only")
        values = tuple(ListValue(node, None) for node in nodes if node) or _typical(kind)
        make: Callable[[], tuple[ListValue, ...]] = lambda: values  # noqa: E731
    else:
        make = partial(_typical, kind)
    accepts: Callable[[str], bool] = (
        (lambda words: parse_value(kind, words) is not None)
        if kind in SPOKEN_TYPES
        else lambda words: bool(words)
    )
    return ValueList(name, make, kind, accepts, any_words=written is None and kind == "text")


def _typical(kind: str) -> tuple[ListValue, ...]:
    phrases = typical_phrases(kind) if kind in SPOKEN_TYPES else SAMPLES
    return tuple(ListValue(Text(phrase), None) for phrase in phrases)


def _range(
    source: Source, name: str, content: dict[str, Any], path: KeyPath, language: str
) -> ValueList:
    numbers = read_range(source, name, content["range"], (*path, "range"))
    try:
        get_rbnf_engine(language)
    except ValueError:
        source.fail(path, f'no number words are known for the language "{language}"')
    kind = content.get("type") or RANGE_TYPES[numbers.type]
    return ValueList(name, lambda: spoken_numbers(numbers, language), kind)


def read_range(source: Source, name: str, body: object, path: KeyPath) -> RangeSlotList:
    """The range written at ``path``. Raises DomainError."""
    content = source.mapping(body, path)
    source.known_keys(content, RANGE_KEYS, path)
    first = source.integer(content.get("from"), (*path, "from"))
    last = source.integer(content.get("to"), (*path, "to"))
    step = source.integer(content.get("step", 1), (*path, "step"))
    if first > last or step < 1:
        source.fail(path, "from must not be above to, and step must be at least 1")
    kind = content.get("type", "number")
    if kind not in RANGE_TYPES:
        source.fail((*path, "type"), f"must be one of {', '.join(RANGE_TYPES)}")
    fractions = content.get("fractions")
    if fractions not in (None, *(kind.value for kind in RangeFractionType)):
        source.fail((*path, "fractions"), "must be halves or tenths")
    multiplier = content.get("multiplier")
    if multiplier is not None and (
        isinstance(multiplier, bool) or not isinstance(multiplier, int | float)
    ):
        source.fail((*path, "multiplier"), "must be a number")
    return RangeSlotList(
        name=name,
        start=first,
        stop=last,
        step=step,
        type=kind,
        fraction_type=None if fractions is None else RangeFractionType(fractions),
        multiplier=multiplier,
    )
