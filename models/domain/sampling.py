"""Random sentences of a domain, with the spans of their slots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Generic, TypeVar

from models.domain import template as tree
from models.domain.example import Example, ExampleSlot
from models.domain.template import SlotValue

OPTIONAL_PROBABILITY = 0.5
"""How often an optional part is said: more makes long sentences, fewer leaves parts unseen."""

SKIP_PROBABILITY = 0.08
"""How often a skip word ("please") stands before a sentence, and how often behind it."""

Card = TypeVar("Card")


def sample(
    templates: Mapping[str, Sequence[tree.Template]], skip_words: Sequence[str], random: Random
) -> Iterator[Example]:
    """Endless examples, balanced over intents and over the templates of each."""
    decks = {intent: _Deck(written, random) for intent, written in templates.items()}
    intents = _Deck(list(templates), random)
    while True:
        intent = intents.draw()
        utterance = _Utterance(random)
        utterance.skip_word(skip_words)
        template = decks[intent].draw()
        utterance.walk(template.root)
        utterance.skip_word(skip_words)
        yield utterance.example(template)


class _Deck(Generic[Card]):
    """Draws every card once before any comes again."""

    def __init__(self, cards: Iterable[Card], random: Random) -> None:
        self._cards = list(cards)
        self._random = random
        self._left: list[Card] = []

    def draw(self) -> Card:
        if not self._left:
            self._left = self._random.sample(self._cards, len(self._cards))
        return self._left.pop()


class _Utterance:
    """Walks a tree at random and collects text and slots on the way."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._text = ""
        self._slots: list[ExampleSlot] = []

    def example(self, template: tree.Template) -> Example:
        slots = tuple(self._slots)
        return Example(self._text.rstrip(), template.intent, slots, template.implied)

    def skip_word(self, skip_words: Sequence[str]) -> None:
        if skip_words and self._random.random() < SKIP_PROBABILITY:
            self._say(f" {self._random.choice(skip_words)} ")

    def walk(self, node: tree.Node) -> None:
        if isinstance(node, tree.Text):
            self._say(node.text)
        elif isinstance(node, tree.Sequence):
            for item in node.items:
                self.walk(item)
        elif isinstance(node, tree.Permutation):
            for item in self._random.sample(node.items, len(node.items)):
                self.walk(item)
        elif isinstance(node, tree.Choice):
            self._choose(node)
        else:
            self._fill(node)

    def _choose(self, node: tree.Choice) -> None:
        if not node.optional:
            self.walk(self._random.choice(node.items))
        elif self._random.random() < OPTIONAL_PROBABILITY:
            self.walk(self._random.choice(node.items[:-1]))

    def _fill(self, node: tree.Slot) -> None:
        chosen = self._random.choice(node.values.values)
        before = len(self._text)
        self.walk(chosen.node)
        start = before + (len(self._text[before:]) - len(self._text[before:].lstrip()))
        words = self._text[start:].rstrip()
        value: SlotValue = words if chosen.value is None else chosen.value
        self._slots.append(ExampleSlot(node.name, start, start + len(words), value))

    def _say(self, text: str) -> None:
        """Append with single blanks, and none at the start."""
        for character in text:
            if character != " " or (self._text and self._text[-1] != " "):
                self._text += character
