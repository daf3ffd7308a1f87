"""What a recogniser and a hesitating speaker do to a sentence.

Every change keeps the meaning: words inside a slot stay as they are, so that its tags stay true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from models.mobilebert.labels import OUTSIDE
from models.mobilebert.tokens import UNKNOWN_WORD
from models.training.language.alignment import LabelledText

FILLERS = ("uh", "um", "er", "please", "the", "a", "like", "so", "just", "now", "then", "oh")
BEFORE = (
    "please", "hey", "hi", "hello", "ok", "okay", "so", "um", "uh", "oh", "now", "well",
    "could you", "can you", "would you", "would you please", "can you please", "i think",
    "alright", "yeah", "and", "the", "a", "[unk]", "[unk]", "[unk] [unk]", "[unk] the",
)  # fmt: skip
AFTER = (
    "please",
    "thanks",
    "thank you",
    "now",
    "for me",
    "okay",
    "will you",
    "the",
    "right now",
    "[unk]",
    "[unk] [unk]",
)
ARTICLES = frozenset({"a", "an", "the", "my", "our", "some"})

SIMILARITY = 0.7
"""How close two spellings must be (0 to 1) for one word to be heard as the other. Lower values
bring words in that no recogniser would confuse."""

MIN_WORDS = 3
"""Sentences of this length or shorter lose no word: what is left could mean anything."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each change is made: the first two a sentence, the others a word."""

    before: float = 0.12
    after: float = 0.10
    filler: float = 0.02
    unknown: float = 0.02
    drop: float = 0.02
    drop_article: float = 0.10
    alike: float = 0.02


CLEAN_SHARE = 0.5
"""Share of training sentences that stay as they are."""

NOISY = Rates(before=0.2, after=0.2, filler=0.05, unknown=0.03, drop=0.03, alike=0.04)
"""For tests: about one word in eight is touched."""


def refill(text: LabelledText, slot: str, value: Sequence[str]) -> LabelledText:
    """A copy of ``text`` whose first ``slot`` holds the words ``value``; itself without one."""
    tags = text.tags or ()
    if f"B-{slot}" not in tags or not value:
        return text
    first = behind = tags.index(f"B-{slot}")
    while behind + 1 < len(tags) and tags[behind + 1] == f"I-{slot}":
        behind += 1
    filled = (f"B-{slot}", *[f"I-{slot}"] * (len(value) - 1))
    return LabelledText(
        (*text.words[:first], *value, *text.words[behind + 1 :]),
        (*tags[:first], *filled, *tags[behind + 1 :]),
        text.intent,
    )


class Augmenter:
    """Changes sentences at random; the same for the same generator."""

    def __init__(
        self, alike: Mapping[str, tuple[str, ...]], rates: Rates, clean: float = CLEAN_SHARE
    ) -> None:
        self._alike = alike
        self._rates = rates
        self._clean = clean

    def __call__(self, text: LabelledText, rng: Random) -> LabelledText:
        """A changed copy of ``text``; its intent and slots are the same."""
        if rng.random() < self._clean:
            return text
        words: list[str] = []
        tags: list[str] = []
        if rng.random() < self._rates.before:
            self._insert(rng.choice(BEFORE), words, tags)
        for word, tag in zip(text.words, text.tags or (OUTSIDE,) * len(text.words), strict=True):
            self._copy(word, tag, len(text.words) > MIN_WORDS, words, tags, rng)
        if rng.random() < self._rates.after:
            self._insert(rng.choice(AFTER), words, tags)
        return LabelledText(tuple(words), None if text.tags is None else tuple(tags), text.intent)

    def _copy(
        self, word: str, tag: str, may_drop: bool, words: list[str], tags: list[str], rng: Random
    ) -> None:
        rates = self._rates
        if not tag.startswith("I-"):
            if rng.random() < rates.filler:
                self._insert(rng.choice(FILLERS), words, tags)
            if rng.random() < rates.unknown:
                self._insert(UNKNOWN_WORD, words, tags)
        if tag == OUTSIDE:
            drop = rates.drop_article if word in ARTICLES else rates.drop
            if may_drop and rng.random() < drop:
                return
            if rng.random() < rates.alike and self._alike.get(word):
                word = rng.choice(self._alike[word])
        words.append(word)
        tags.append(tag)

    def _insert(self, phrase: str, words: list[str], tags: list[str]) -> None:
        for word in phrase.split():
            words.append(word)
            tags.append(OUTSIDE)
