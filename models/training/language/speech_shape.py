"""Texts as a hesitating speaker says them and a recogniser writes them.

Fillers, repetitions, self-corrections, and words lost, added or taken for others as often as the
project's own recogniser was measured to do (``mishearings``). Words inside a slot may be misheard,
which leaves its tags as they are; none is lost or added there.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from models.mobilebert.labels import OUTSIDE
from models.training.language.alignment import LabelledText
from models.training.language.mishearings import Mishearings, load_mishearings

FILLERS = ("uh", "um", "er", "so", "like", "well", "you know", "i mean")
REPAIRS = ("no", "no wait", "i mean", "sorry", "uh")
MIN_WORDS = 3
"""Texts of this length or shorter lose no word: what is left could mean anything."""


@dataclass(frozen=True, slots=True)
class SpeechRates:
    """How often each thing happens: a share of words, the last of texts."""

    filler: float = 0.03
    repetition: float = 0.02
    repair: float = 0.02
    """A text begins, breaks off after some words, and begins anew."""

    misheard: float = 0.3
    """Share of the recogniser's measured errors. 1 is what it does by dictation; a grammar or a
    better model makes fewer."""


class SpeechShape:
    """Changes texts at random; the same for the same generator."""

    def __init__(
        self, rates: SpeechRates | None = None, mishearings: Mishearings | None = None
    ) -> None:
        self._rates = rates or SpeechRates()
        self._heard = mishearings or load_mishearings()
        self._swap, self._lose, self._add = (
            self._rates.misheard * rate for rate in self._heard.rates
        )

    def __call__(self, text: LabelledText, rng: Random) -> LabelledText:
        """A copy of ``text`` as it would be heard; its labels are the same."""
        words: list[str] = []
        tags: list[str] = []
        tagged = text.tags or (OUTSIDE,) * len(text.words)
        if rng.random() < self._rates.repair:
            self._broken_off(text.words, tagged, words, tags, rng)
        for word, tag in zip(text.words, tagged, strict=True):
            if not tag.startswith("I-"):
                self._hesitate(word, tag, words, tags, rng)
            if tag == OUTSIDE and len(text.words) > MIN_WORDS and rng.random() < self._lose:
                continue
            words.append(self._as_heard(word, rng))
            tags.append(tag)
        return LabelledText(tuple(words), None if text.tags is None else tuple(tags), text.intent)

    def _as_heard(self, word: str, rng: Random) -> str:
        if rng.random() >= self._swap:
            return word
        return self._heard.mishear(word, rng) or word

    def _hesitate(
        self, word: str, tag: str, words: list[str], tags: list[str], rng: Random
    ) -> None:
        if rng.random() < self._rates.filler:
            _outside(rng.choice(FILLERS), words, tags)
        if tag == OUTSIDE and rng.random() < self._rates.repetition:
            _outside(word, words, tags)
        if rng.random() < self._add:
            _outside(self._heard.added_word(rng) or "", words, tags)

    def _broken_off(
        self,
        said: tuple[str, ...],
        tagged: tuple[str, ...],
        words: list[str],
        tags: list[str],
        rng: Random,
    ) -> None:
        """The first words outside all slots, and a word that takes them back."""
        free = next((i for i, tag in enumerate(tagged) if tag != OUTSIDE), len(said))
        if free:
            _outside(" ".join(said[: rng.randint(1, free)]), words, tags)
            _outside(rng.choice(REPAIRS), words, tags)


def _outside(phrase: str, words: list[str], tags: list[str]) -> None:
    for word in phrase.split():
        words.append(word)
        tags.append(OUTSIDE)
