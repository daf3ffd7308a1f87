"""From sentences with slots to words with BIO tags."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from models.domain import Example
from models.errors import DomainError
from models.mobilebert.labels import OUTSIDE, START

OUT_OF_SCOPE = "<none>"
"""Label of what a domain does not contain."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """Words with what they mean."""

    words: tuple[str, ...]
    tags: tuple[str, ...] | None
    """BIO tag of each word; None where they are unknown or do not matter."""

    intent: str

    @property
    def text(self) -> str:
        """The words, joined by blanks."""
        return " ".join(self.words)


def align(example: Example) -> LabelledText:
    """Split a sentence at blanks and tag each word.

    Raises DomainError where a slot does not lie on word boundaries or two overlap.
    """
    matches = list(re.finditer(r"\S+", example.text))
    starts = {match.start(): index for index, match in enumerate(matches)}
    ends = {match.end(): index for index, match in enumerate(matches)}
    tags = [OUTSIDE] * len(matches)
    for slot in example.slots:
        if slot.start not in starts or slot.end not in ends:
            raise DomainError(
                f'slot "{slot.name}" of "{example.text}" does not lie on word boundaries: '
                "put blanks around it in the template"
            )
        first, last = starts[slot.start], ends[slot.end]
        if any(tag != OUTSIDE for tag in tags[first : last + 1]):
            raise DomainError(f'slot "{slot.name}" of "{example.text}" overlaps another one')
        tags[first] = f"B-{slot.name}"
        tags[first + 1 : last + 1] = [f"I-{slot.name}"] * (last - first)
    return LabelledText(tuple(match.group() for match in matches), tuple(tags), example.intent)


def outside(text: str) -> LabelledText:
    """A text that the domain does not contain.

    It has no tags: slots of what is rejected do not matter, and a tagger that learns to find none
    there also misses some in short sentences of the domain.
    """
    return LabelledText(tuple(text.split()), None, OUT_OF_SCOPE)


def tag_spans(tags: Iterable[str]) -> set[tuple[str, int, int]]:
    """Name, first word and word behind the last one of each slot."""
    spans: set[tuple[str, int, int]] = set()
    start, name = 0, ""
    index = -1
    for index, tag in enumerate(tags):
        if name and tag != f"I-{name}":
            spans.add((name, start, index))
            name = ""
        if tag.startswith("B-"):
            start, name = index, tag[2:]
    if name:
        spans.add((name, start, index + 1))
    return spans


def bio_tags(slots: Iterable[str]) -> tuple[str, ...]:
    """All tags for some slots, ``O`` first, the slots in alphabetical order."""
    return (OUTSIDE, *(f"{part}-{slot}" for slot in sorted(slots) for part in "BI"))


def count_transitions(texts: Iterable[LabelledText]) -> dict[str, dict[str, int]]:
    """How often each tag follows another, in the form of ``labels.json``."""
    counts: dict[str, Counter[str]] = {}
    for text in texts:
        before = START
        for tag in text.tags or ():
            counts.setdefault(before, Counter())[tag] += 1
            before = tag
    return {before: dict(sorted(after.items())) for before, after in sorted(counts.items())}
