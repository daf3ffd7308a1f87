"""Match a text against template trees: the reverse of sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from models.domain import template as tree
from models.domain.example import ExampleSlot

Match = tuple[int, tuple[ExampleSlot, ...]]
"""Where the rest of the text begins, and the slots so far."""


def match(node: tree.Node, text: str, start: int = 0) -> Iterator[Match]:
    """Every way in which ``node`` matches ``text`` from ``start`` on.

    ``text`` has single blanks between its words. Work is exponential only for templates that
    are ambiguous in themselves.
    """
    if isinstance(node, tree.Text):
        end = _match_text(node.text, text, start)
        if end is not None:
            yield end, ()
    elif isinstance(node, tree.Sequence):
        yield from _match_all(node.items, text, start)
    elif isinstance(node, tree.Choice):
        for item in node.items:
            yield from match(item, text, start)
    elif isinstance(node, tree.Permutation):
        yield from _match_permutation(node.items, text, start)
    else:
        yield from _match_slot(node, text, start)


def _match_all(items: tuple[tree.Node, ...], text: str, start: int) -> Iterator[Match]:
    if not items:
        yield start, ()
        return
    for middle, first in match(items[0], text, start):
        for end, rest in _match_all(items[1:], text, middle):
            yield end, first + rest


def _match_permutation(items: tuple[tree.Node, ...], text: str, start: int) -> Iterator[Match]:
    if not items:
        yield start, ()
    for index, item in enumerate(items):
        others = items[:index] + items[index + 1 :]
        for middle, first in match(item, text, start):
            for end, rest in _match_permutation(others, text, middle):
                yield end, first + rest


def _match_slot(node: tree.Slot, text: str, start: int) -> Iterator[Match]:
    if node.values.accepts is not None:
        yield from _match_open(node, node.values.accepts, text, start)
        return
    for candidate in node.values.values:
        for end, _ in match(candidate.node, text, start):
            words = text[start:end].strip()
            if words:
                first = text.index(words, start)
                value = words if candidate.value is None else candidate.value
                yield end, (ExampleSlot(node.name, first, first + len(words), value),)


def _match_open(
    node: tree.Slot, accepts: Callable[[str], bool], text: str, start: int
) -> Iterator[Match]:
    """Every run of whole words from ``start`` on that may fill the slot, the longest first."""
    first = start + 1 if text[start : start + 1] == " " else start
    if not _at_edge(text, first):
        return
    ends = [index for index, letter in enumerate(text) if letter == " " and index > first]
    for end in reversed([*ends, len(text)]):
        words = text[first:end]
        if words and accepts(words):
            yield end, (ExampleSlot(node.name, first, end, words),)


def _match_text(expected: str, text: str, start: int) -> int | None:
    """Where ``expected`` ends in ``text``; its blanks match none at the edge of a word."""
    position = start
    for character in expected:
        if position < len(text) and text[position] == character:
            position += 1
        elif character != " " or not _at_edge(text, position):
            return None
    return position


def _at_edge(text: str, position: int) -> bool:
    return position in (0, len(text)) or text[position - 1] == " "
