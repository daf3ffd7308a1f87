"""The slot lists of a domain file: words with their values, or ranges of numbers."""

from __future__ import annotations

from collections.abc import Callable

from hassil.intents import RangeFractionType, RangeSlotList
from hassil.numbers import get_rbnf_engine

from models.domain.numbers import spoken_numbers
from models.domain.source import KeyPath, Source
from models.domain.template import ListValue, Node, SlotValue, ValueList

VALUE_KEYS = ("in", "out")
RANGE_KEYS = ("from", "to", "step", "type", "fractions", "multiplier")
RANGE_TYPES = ("number", "percentage", "temperature")

ParseTemplate = Callable[[object, KeyPath], Node]


def read_list(
    source: Source, name: str, body: object, path: KeyPath, language: str, parse: ParseTemplate
) -> ValueList:
    """Make the list written at ``path``; ``parse`` turns the words of a value into a tree.

    Raises DomainError for anything that is not a list of words or a range of whole numbers.
    """
    content = source.mapping(body, path)
    if "wildcard" in content:
        source.fail(path, "a wildcard has no end of words to recognise: list its likely values")
    source.known_keys(content, ("values", "range"), path)
    if len(content) != 1:
        source.fail(path, "needs either values or range")
    if "range" in content:
        numbers = _read_range(source, name, content["range"], (*path, "range"))
        try:
            get_rbnf_engine(language)
        except ValueError:
            source.fail(path, f'no number words are known for the language "{language}"')
        return ValueList(name, lambda: spoken_numbers(numbers, language))
    entries = source.sequence(content["values"], (*path, "values"))

    def make() -> tuple[ListValue, ...]:
        paths = [(*path, "values", number) for number in range(len(entries))]
        return tuple(_read_value(source, *pair, parse) for pair in zip(entries, paths, strict=True))

    return ValueList(name, make)


def _read_value(source: Source, entry: object, path: KeyPath, parse: ParseTemplate) -> ListValue:
    if not isinstance(entry, dict):
        return ListValue(parse(entry, path), None)
    source.known_keys(entry, VALUE_KEYS, path)
    value = entry.get("out")
    if value is not None and (isinstance(value, bool) or not isinstance(value, SlotValue)):
        source.fail((*path, "out"), "must be a string or a number: put it in quotes")
    return ListValue(parse(entry.get("in"), (*path, "in")), value)


def _read_range(source: Source, name: str, body: object, path: KeyPath) -> RangeSlotList:
    content = source.mapping(body, path)
    source.known_keys(content, RANGE_KEYS, path)
    first = source.integer(content.get("from"), (*path, "from"))
    last = source.integer(content.get("to"), (*path, "to"))
    step = source.integer(content.get("step", 1), (*path, "step"))
    if first > last or step < 1:
        source.fail(path, "from must not be above to, and step must be at least 1")
    if content.get("type", "number") not in RANGE_TYPES:
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
        fraction_type=None if fractions is None else RangeFractionType(fractions),
        multiplier=multiplier,
    )
