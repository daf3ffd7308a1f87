"""A domain: the sentences, intents and slots of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from models.domain import template as tree
from models.domain.acceptor import Acceptor
from models.domain.construction import build_acceptor
from models.domain.example import Example
from models.domain.intents import (
    IntentDetails,
    WrittenExample,
    read_details,
    read_examples,
    read_slot_types,
)
from models.domain.matching import match
from models.domain.merging import domain_files
from models.domain.parsing import TemplateParser
from models.domain.recognition import Recognition, Recognizer
from models.domain.sampling import sample
from models.domain.source import Source
from models.domain.template import SlotValue, Template, ValueList
from models.domain.values import phrases, slots_in
from models.values import SPOKEN_TYPES, Value, parse_value

LONGEST_ANSWER = 20
"""Words of an answer that are looked at."""

UNITS = {"percent": "percent", "duration": "seconds"}
"""Units of numbers that stand in lists."""


class _Known(NamedTuple):
    """What a phrase in a list is worth."""

    value: SlotValue
    given: bool
    """False where the value is only the words."""


class Domain:
    """What people may say in one domain. Loading is cheap; the rest is computed when needed."""

    def __init__(self, name: str, source: Source) -> None:
        """Read the templates of ``source``. Raises DomainError naming file, line and column."""
        parser = TemplateParser(source)
        self.name = name
        """Stem of the file's name, or name of the folder: ``coffee``."""

        self.language = parser.language
        """Language code: ``en``."""

        self.templates: tuple[Template, ...] = parser.templates()
        self.unspoken: tuple[str, ...] = tuple(parser.unspoken)
        """Templates that can only be written ("2.5"), where the files are many: they are left out
        of sampling and speech recognition. In a single file they are errors."""

        self.skip_words: tuple[str, ...] = parser.skip_words()
        """Phrases that may stand before or behind every sentence."""

        self._by_intent: dict[str, list[Template]] = {}
        for template in self.templates:
            self._by_intent.setdefault(template.intent, []).append(template)
        self.intents: tuple[str, ...] = tuple(self._by_intent)
        """Names of the intents in the order of the file."""

        self.files = source.paths
        """The files that it was read from."""

        self._data = source.data
        self._values: dict[str, dict[str, _Known]] = {}
        self._declared = read_slot_types(source, self.slots)
        self.details: Mapping[str, IntentDetails] = {
            name: read_details(source, name, self.slots_of(name)) for name in self.intents
        }
        """What the file says about each intent: thresholds, questions, replies."""

        self.examples: tuple[WrittenExample, ...] = tuple(read_examples(source))
        """The sentences that the file gives to be tested, also such that must be rejected."""

    @classmethod
    def load(cls, path: Path, *more: Path, lists: Mapping[str, Any] | None = None) -> Domain:
        """Read a domain file, or a folder of them; several are taken as one.

        ``lists`` are added to those of the files, in the same form: what is known only on this
        machine, like the devices of a house. Raises DomainError that names file, line, column
        and key.
        """
        files = [file for each in (path, *more) for file in domain_files(each)]
        source = Source(files, {"lists": dict(lists)} if lists else None)
        return cls(path.stem if path.is_file() else path.resolve().name, source)

    def slots_of(self, intent: str) -> frozenset[str]:
        """Names of the slots that sentences of ``intent`` may have."""
        written = self._by_intent[intent]
        return frozenset(slot.name for template in written for slot in slots_in(template.root))

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
        return frozenset(words - {tree.WILDCARD})

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
                        yield Example(text, template.intent, moved, template.implied)

    def parse(self, text: str) -> Example | None:
        """The first reading of ``text``, or None if it is no sentence of the domain."""
        return next(self.parses(text), None)

    def recognize(self, text: str, context: Mapping[str, Any] | None = None) -> Recognition | None:
        """What ``text`` means by the templates alone, digits and all, or None.

        ``context`` is what is known without words, like the area of the microphone.
        """
        return self._recognizer.recognize(text, context)

    def type_of(self, slot: str) -> str:
        """Type of a slot: as declared, else that of its lists, ``list`` where they differ."""
        if slot in self._declared:
            return self._declared[slot]
        types = {known.type for known in self.lists_of(slot)} or {"text"}
        # "half" beside a range of numbers is a number too.
        types -= {"list"} if len(types) > 1 else set()
        return types.pop() if len(types) == 1 else "list"

    def resolve(self, slot: str, raw: str, now: datetime | None = None) -> SlotValue:
        """Canonical value of the words ``raw`` in ``slot``; the words themselves if unknown."""
        return self.value(slot, raw, now).value

    def value(self, slot: str, raw: str, now: datetime | None = None) -> Value:
        """Typed value of the words ``raw`` in ``slot``; the words themselves if unknown.

        Dates and times are relative to ``now``, the present moment if None.
        """
        kind = self.type_of(slot)
        known = self._known(slot).get(" ".join(raw.lower().split()))
        unit = UNITS.get(kind)
        if known is not None and (known.given or kind not in SPOKEN_TYPES):
            return Value(known.value, unit if not isinstance(known.value, str) else None)
        understood = parse_value(kind, raw, now) if kind in SPOKEN_TYPES else None
        if understood is not None:
            return understood
        return Value(raw if known is None else known.value)

    def understands(self, slot: str, raw: str) -> bool:
        """Whether ``raw`` may fill ``slot``: one of its lists has it, or it is of its type."""
        words = " ".join(raw.lower().split())
        if words in self._known(slot):
            return True
        kind = self.type_of(slot)
        if kind in SPOKEN_TYPES and parse_value(kind, words) is not None:
            return True
        return any(known.accepts and known.accepts(words) for known in self.lists_of(slot))

    def find(self, slot: str, text: str) -> tuple[int, int] | None:
        """Where in ``text`` the longest words stand that may fill ``slot``, or None.

        A slot of any words takes all of them.
        """
        words = [match.span() for match in re.finditer(r"\S+", text)][:LONGEST_ANSWER]
        for length in range(len(words), 0, -1):
            for first in range(len(words) - length + 1):
                start, end = words[first][0], words[first + length - 1][1]
                if self.understands(slot, text[start:end]):
                    return start, end
        return None

    @property
    def talks(self) -> bool:
        """Whether any intent asks or answers."""
        details = self.details.values()
        return any(each.required or each.confirm or each.replies for each in details)

    def _known(self, slot: str) -> dict[str, _Known]:
        """Every phrase that stands in a list of ``slot``, with what it is worth."""
        if slot not in self._values:
            values: dict[str, _Known] = {}
            for known in self.lists_of(slot):
                if known.accepts is not None:
                    continue
                for candidate in known.values:
                    given = candidate.value is not None
                    for phrase in phrases(candidate.node):
                        value = phrase if candidate.value is None else candidate.value
                        values.setdefault(phrase, _Known(value, given))
            self._values[slot] = values
        return self._values[slot]

    @cached_property
    def _recognizer(self) -> Recognizer:
        typed = {
            slot: self.type_of(slot)
            for slot in self.slots
            if self.type_of(slot) in SPOKEN_TYPES
            and all(known.accepts for known in self.lists_of(slot))
        }
        return Recognizer(self._data, typed)

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
