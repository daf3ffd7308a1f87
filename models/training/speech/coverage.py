"""Sentences to read aloud: of many, those whose words, pairs of words and sounds are rare so far.

Sentences drawn at random repeat what is common. Of a few drawn at random the one is taken that has
most of what the ones before it lacked, so that every word of a domain is said often, beside many
others, and so is every phone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from random import Random

from models.training.speech.transcript import (
    Pronouncer,
    TranscriptError,
    split_words,
    words_of,
)

DRAWN = 24
"""Sentences that compete for each place."""

WORDS = (2, 16)
"""Shortest and longest sentence."""


def choose(sentences: Sequence[str], count: int, seed: int) -> list[str]:
    """``count`` different sentences, or as many as can be said, in the order they were chosen.

    Sentences with digits, symbols or words that nobody can pronounce are left out.
    """
    random = Random(seed)
    pronouncer = Pronouncer()
    pronouncer.prepare(words_of(list(sentences)))
    units = {}
    for sentence in dict.fromkeys(sentences):
        try:
            words = split_words(sentence)
            if WORDS[0] <= len(words) <= WORDS[1]:
                units[" ".join(words)] = list(_units(words, pronouncer))
        except TranscriptError:
            continue
    open_sentences = list(units)
    random.shuffle(open_sentences)
    seen: Counter[Hashable] = Counter()
    chosen: list[str] = []
    while open_sentences and len(chosen) < count:
        drawn = random.sample(range(len(open_sentences)), min(DRAWN, len(open_sentences)))
        best = max(drawn, key=lambda i: _novelty(units[open_sentences[i]], seen))
        open_sentences[best], open_sentences[-1] = open_sentences[-1], open_sentences[best]
        chosen.append(open_sentences.pop())
        seen.update(units[chosen[-1]])
    return chosen


def _units(words: list[str], pronouncer: Pronouncer) -> Iterator[Hashable]:
    """Words, pairs of them, and pairs of phones."""
    yield from words
    yield from zip(["", *words], [*words, ""], strict=True)
    phones = pronouncer.labels(" ".join(words))
    yield from pairwise(phones)


def _novelty(units: list[Hashable], seen: Counter[Hashable]) -> float:
    """Mean over units of how rare each is so far."""
    return sum(1 / (1 + seen[unit]) for unit in units) / len(units)
