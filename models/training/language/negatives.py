"""What the model must reject: other people's requests, fragments, and what a recogniser makes of
speech that its grammar does not know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from random import Random

from models.mobilebert.tokens import UNKNOWN_WORD
from models.training.language.alignment import LabelledText, outside, tag_spans

MASKED_SHARE = 0.8
"""Probability that a word outside the domain's vocabulary is heard as unknown in a masked text."""

MAX_SALAD = 8
FUNCTION_WORDS = (
    "the", "a", "an", "and", "to", "of", "in", "it", "is", "i", "you", "that", "on", "for", "me",
    "with", "uh", "um", "oh", "huh", "hi", "yes", "no", "so", "but", "this", "at", "be", "we",
)  # fmt: skip

ATTEMPTS = 20
"""Draws until one is outside the domain; after that the unknown word alone is given."""


class Negatives:
    """Draws texts that are outside a domain."""

    def __init__(
        self,
        texts: Sequence[str],
        inside: Sequence[LabelledText],
        vocabulary: Collection[str],
        contains: Callable[[str], bool],
    ) -> None:
        """``texts`` are free text; ``inside`` are sentences of the domain, whose words are
        ``vocabulary`` and which ``contains`` recognises."""
        self._texts = [text.split() for text in texts if text.split()]
        self._inside = inside
        self._vocabulary = sorted(vocabulary)
        self._known = frozenset(vocabulary)
        self._contains = contains
        self._kinds: list[tuple[Callable[[Random], list[str]], float]] = [
            (self._salad, 0.08),
            (self._fragment, 0.10),
            (self._shuffled, 0.06),
            (self._unknowns, 0.04),
        ]
        if self._texts:
            self._kinds += [
                (self._utterance, 0.44),
                (self._masked, 0.13),
                (self._transplant, 0.11),
                (self._stretch, 0.04),
            ]

    def draw(self, rng: Random) -> LabelledText:
        """A text that the domain does not contain."""
        makers, weights = zip(*self._kinds, strict=True)
        make = rng.choices(makers, weights)[0]
        for _ in range(ATTEMPTS):
            text = " ".join(make(rng))
            if text and not self._contains(text):
                return outside(text)
        return outside(UNKNOWN_WORD)

    def phrase(self, rng: Random, longest: int) -> list[str]:
        """One to ``longest`` words in a row out of free text; none without free text."""
        if not self._texts:
            return []
        words = rng.choice(self._texts)
        at = rng.randrange(len(words))
        return words[at : at + rng.randint(1, longest)]

    def _utterance(self, rng: Random) -> list[str]:
        return rng.choice(self._texts)

    def _masked(self, rng: Random) -> list[str]:
        """Free text as a recogniser hears it that knows the words of the domain alone."""
        return [
            UNKNOWN_WORD if word not in self._known and rng.random() < MASKED_SHARE else word
            for word in rng.choice(self._texts)
        ]

    def _transplant(self, rng: Random) -> list[str]:
        """Free text with a slot of the domain in it: a known name alone is no command."""
        words = list(rng.choice(self._texts))
        donor = rng.choice(self._inside)
        spans = sorted(tag_spans(donor.tags or ()))
        if not spans:
            return words
        _, first, behind = rng.choice(spans)
        at = rng.randrange(len(words))
        words[at : at + rng.randint(0, 2)] = donor.words[first:behind]
        return words

    def _stretch(self, rng: Random) -> list[str]:
        return self.phrase(rng, 3)

    def _salad(self, rng: Random) -> list[str]:
        return [
            UNKNOWN_WORD if rng.random() < 0.15 else rng.choice(self._vocabulary)
            for _ in range(rng.randint(1, MAX_SALAD))
        ]

    def _fragment(self, rng: Random) -> list[str]:
        """At most half of a sentence, cut out of it."""
        text = rng.choice(self._inside)
        longest = max(1, len(text.words) // 2)
        size = rng.randint(1, longest)
        at = rng.randint(0, len(text.words) - size)
        return list(text.words[at : at + size])

    def _shuffled(self, rng: Random) -> list[str]:
        words = list(rng.choice(self._inside).words)
        rng.shuffle(words)
        return words if len(words) > 3 else []

    def _unknowns(self, rng: Random) -> list[str]:
        words = [UNKNOWN_WORD] * rng.randint(0, 6)
        for _ in range(rng.randint(0 if words else 1, 2)):
            words.insert(rng.randint(0, len(words)), rng.choice(FUNCTION_WORDS))
        return words
