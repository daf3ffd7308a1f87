"""Build a word-level acceptor from template trees, without listing the sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from models.domain import template as tree
from models.domain.acceptor import Acceptor, Arc

_BLANK = " "


def build_acceptor(templates: Iterable[tree.Template], skip_words: Sequence[str]) -> Acceptor:
    """Acceptor of all sentences of ``templates``, with or without a skip word at either end."""
    builder = _Builder()
    optional = tree.Choice(
        (*(tree.Text(f" {phrase} ") for phrase in skip_words), tree.Text("")), optional=True
    )
    begin = builder.add(optional, 0)
    ends: dict[str, int] = {}
    for template in templates:
        end = builder.add(template.root, begin)
        builder.step(end, ends.setdefault(template.intent, builder.new()), None)
    finals = {}
    for intent, end in ends.items():
        # A blank closes the last word, so that every word is followed by one.
        final = builder.new()
        builder.step(builder.add(optional, end), final, _BLANK)
        finals[final] = intent
    return _join_words(builder.steps, finals)


class _Builder:
    """Thompson's construction over pieces of text: whole or part words, blanks, nothing."""

    def __init__(self) -> None:
        self.steps: list[list[tuple[int, str | None]]] = [[]]

    def new(self) -> int:
        self.steps.append([])
        return len(self.steps) - 1

    def step(self, source: int, target: int, label: str | None) -> None:
        self.steps[source].append((target, label))

    def add(self, node: tree.Node, state: int) -> int:
        """Append ``node`` behind ``state``; returns the state behind it."""
        if isinstance(node, tree.Text):
            for piece in _pieces(node.text):
                following = self.new()
                self.step(state, following, piece)
                state = following
            return state
        if isinstance(node, tree.Sequence):
            for item in node.items:
                state = self.add(item, state)
            return state
        if isinstance(node, tree.Permutation):
            return self._permutation(node.items, state)
        items = node.items if isinstance(node, tree.Choice) else _slot_items(node)
        end = self.new()
        for item in items:
            self.step(self.add(item, state), end, None)
        return end

    def _permutation(self, items: tuple[tree.Node, ...], state: int) -> int:
        """One state for every set of items said so far: 2ⁿ instead of the n! orders."""
        everything = frozenset(range(len(items)))
        behind: dict[frozenset[int], int] = {frozenset(): state}
        for size in range(1, len(items) + 1):
            for said in map(frozenset, combinations(range(len(items)), size)):
                behind[said] = self.new()
                for last in said:
                    end = self.add(items[last], behind[said - {last}])
                    self.step(end, behind[said], None)
        return behind[everything]


def _pieces(text: str) -> Iterator[str]:
    """Blanks and the text between them, as they follow each other."""
    for number, piece in enumerate(text.split(_BLANK)):
        if number:
            yield _BLANK
        if piece:
            yield piece


def _slot_items(slot: tree.Slot) -> Iterable[tree.Node]:
    if slot.values.any_words:
        return (tree.Text(tree.WILDCARD),)
    return (value.node for value in slot.values.values)


def _join_words(
    steps: Sequence[Sequence[tuple[int, str | None]]], finals: Mapping[int, str]
) -> Acceptor:
    """Join pieces to words: states of the result are those in which a word may begin."""
    numbers = {0: 0}
    pending = [0]
    arcs: dict[Arc, None] = {}
    ends: dict[int, frozenset[str]] = {}
    while pending:
        origin = pending.pop()
        source = numbers[origin]
        for word, state in _walk(steps, origin):
            if not word:
                if state in finals:
                    ends[source] = ends.get(source, frozenset()) | {finals[state]}
                continue
            if state not in numbers:
                numbers[state] = len(numbers)
                pending.append(state)
            arcs[Arc(source, numbers[state], word)] = None
    return Acceptor(tuple(arcs), ends)


def _walk(
    steps: Sequence[Sequence[tuple[int, str | None]]], origin: int
) -> Iterator[tuple[str, int]]:
    """Words that may follow ``origin``, each with the state behind the blank that closes it.

    States that are reached without any word come with an empty one.
    """
    pending = [("", origin)]
    seen = set(pending)
    while pending:
        prefix, state = pending.pop()
        if not prefix:
            yield "", state
        for target, label in steps[state]:
            if label == _BLANK and prefix:
                yield prefix, target
                continue
            reached = (prefix if label in (None, _BLANK) else f"{prefix}{label}", target)
            if reached not in seen:
                seen.add(reached)
                pending.append(reached)
