"""A domain: the sentences, intents and slots of one file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random

from models.domain import template as tree
from models.domain.acceptor import Acceptor
from models.domain.construction import build_acceptor
from models.domain.example import Example
from models.domain.matching import match
from models.domain.parsing import TemplateParser
from models.domain.sampling import sample
from models.domain.source import Source
from models.domain.template import SlotValue, Template, ValueList
from models.domain.values import phrases, slots_in


class Domain:
    """What people may say in one domain. Loading is cheap; the rest is computed when needed."""

    def __init__(
        self, name: str, language: str, templates: tuple[Template, ...], skip_words: tuple[str, ...]
    ) -> None:
        self.name = name
        """Stem of the file's name: ``coffee``."""

        self.language = language
        """Language code: ``en``."""

        self.templates = templates
        self.skip_words = skip_words
        """Phrases that may stand before or behind every sentence."""

        self._by_intent: dict[str, list[tree.Node]] = {}
        for template in templates:
            self._by_intent.setdefault(template.intent, []).append(template.root)
        self.intents: tuple[str, ...] = tuple(self._by_intent)
        """Names of the intents in the order of the file."""

        self._values: dict[str, dict[str, SlotValue]] = {}

    @classmethod
    def load(cls, path: Path) -> Domain:
        """Read a domain file. Raises DomainError that names file, line and key."""
        parser = TemplateParser(Source(path))
        return cls(path.stem, parser.language, parser.templates(), parser.skip_words())

    def slots_of(self, intent: str) -> frozenset[str]:
        """Names of the slots that sentences of ``intent`` may have."""
        roots = self._by_intent[intent]
        return frozenset(slot.name for root in roots for slot in slots_in(root))

    @property
    def slots(self) -> frozenset[str]:
        """Names of all slots."""
        return frozenset(self._lists_of)

    def lists_of(self, slot: str) -> tuple[ValueList, ...]:
        """The lists that may fill ``slot``; none for a slot that the domain lacks."""
        return self._lists_of.get(slot, ())

    def words(self) -> frozenset[str]:
        """Every word that a sentence may contain."""
        words = {word for phrase in self.skip_words for word in phrase.split()}
        for template in self.templates:
            # One at a time, so that the memory of each is free before the next.
            words.update(arc.word for arc in build_acceptor([template], ()).arcs)
        return frozenset(words)

    def acceptor(self) -> Acceptor:
        """Word-level acceptor of exactly the domain's sentences."""
        return build_acceptor(self.templates, self.skip_words)

    def sample(self, count: int, seed: int) -> list[Example]:
        """``count`` random sentences, balanced over intents and templates; the same for a seed."""
        examples = sample(self._by_intent, self.skip_words, Random(seed))
        return list(islice(examples, count))

    def parses(self, text: str) -> Iterator[Example]:
        """Every reading of ``text`` as a sentence of the domain, skip words left out of account.

        Several readings may have the same intent and slots.
        """
        for begin, end in self._without_skip_words(text):
            inner = text[begin:end]
            for template in self.templates:
                for stop, found in match(template.root, inner):
                    if stop == len(inner) and inner:
                        moved = tuple(
                            type(slot)(slot.name, slot.start + begin, slot.end + begin, slot.value)
                            for slot in found
                        )
                        yield Example(text, template.intent, moved)

    def parse(self, text: str) -> Example | None:
        """The first reading of ``text``, or None if it is no sentence of the domain."""
        return next(self.parses(text), None)

    def resolve(self, slot: str, raw: str) -> SlotValue:
        """Canonical value of the words ``raw`` in ``slot``; the words themselves if unknown."""
        if slot not in self._values:
            values: dict[str, SlotValue] = {}
            for known in self.lists_of(slot):
                for candidate in known.values:
                    for phrase in phrases(candidate.node):
                        values.setdefault(
                            phrase, phrase if candidate.value is None else candidate.value
                        )
            self._values[slot] = values
        return self._values[slot].get(" ".join(raw.lower().split()), raw)

    @cached_property
    def _lists_of(self) -> dict[str, tuple[ValueList, ...]]:
        lists: dict[str, dict[ValueList, None]] = {}
        for template in self.templates:
            for slot in slots_in(template.root):
                lists.setdefault(slot.name, {})[slot.values] = None
        return {name: tuple(found) for name, found in lists.items()}

    def _without_skip_words(self, text: str) -> Iterator[tuple[int, int]]:
        """Ranges of ``text`` that are left when skip words are taken off its ends."""
        phrases_ = ("", *self.skip_words)
        for before in phrases_:
            for after in phrases_:
                begin = len(before) + 1 if before else 0
                end = len(text) - (len(after) + 1 if after else 0)
                if (
                    begin < end
                    and (not before or text.startswith(before + " "))
                    and (not after or text.endswith(" " + after))
                ):
                    yield begin, end
