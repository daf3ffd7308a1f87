"""Changes to labelled texts that leave their labels true: other names, misspellings, speech."""

from __future__ import annotations

import string
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random

from models.mobilebert.labels import OUTSIDE
from models.training.language.alignment import LabelledText, tag_spans
from models.training.language.settings import TextSettings
from models.training.language.speech_shape import SpeechShape

OPEN_SHARE = 0.3
"""A slot whose values are this often new ones (distinct values over occurrences) is open: its
words can be any. The least that counts titles and names among them and numbers and dates not."""

LONGEST_INVENTED = 5
FILLERS = ("uh", "um", "please", "the", "a", "so", "like", "ok")
MIN_WORDS = 3


class Changes:
    """Changes a text at random; the same for the same generator."""

    def __init__(self, texts: Sequence[LabelledText], settings: TextSettings) -> None:
        self._settings = settings
        values: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        for text in texts:
            for name, first, behind in tag_spans(text.tags or ()):
                values[name][text.words[first:behind]] += 1
        self._values = {name: sorted(found) for name, found in values.items()}
        self._open = {
            name for name, found in values.items() if len(found) >= OPEN_SHARE * found.total()
        }
        self._texts = [text.words for text in texts]
        self._speech = SpeechShape() if settings.speech else None

    @property
    def open_slots(self) -> frozenset[str]:
        """Slots that are filled with invented names."""
        return frozenset(self._open)

    def __call__(self, text: LabelledText, rng: Random) -> LabelledText:
        """A changed copy of ``text``."""
        settings = self._settings
        if text.tags is not None and (settings.substitute or settings.invent):
            text = self._refilled(text, rng)
        if settings.noise:
            text = self._misspelt(text, rng)
        if self._speech is not None and rng.random() < settings.speech:
            text = self._speech(text, rng)
        return text

    def _refilled(self, text: LabelledText, rng: Random) -> LabelledText:
        words: list[str] = []
        tags: list[str] = []
        at = 0
        for name, first, behind in sorted(tag_spans(text.tags or ()), key=lambda span: span[1]):
            words += text.words[at:first]
            tags += [OUTSIDE] * (first - at)
            value = self._value(name, text.words[first:behind], rng)
            words += value
            tags += [f"B-{name}", *[f"I-{name}"] * (len(value) - 1)]
            at = behind
        words += text.words[at:]
        tags += [OUTSIDE] * (len(text.words) - at)
        return LabelledText(tuple(words), tuple(tags), text.intent)

    def _value(self, name: str, words: tuple[str, ...], rng: Random) -> tuple[str, ...]:
        draw = rng.random()
        if name in self._open and draw < self._settings.invent:
            source = rng.choice(self._texts)
            length = rng.randint(1, min(LONGEST_INVENTED, len(source)))
            start = rng.randrange(len(source) - length + 1)
            return source[start : start + length]
        if draw < self._settings.invent + self._settings.substitute:
            return rng.choice(self._values[name])
        return words

    def _misspelt(self, text: LabelledText, rng: Random) -> LabelledText:
        words: list[str] = []
        tags: list[str] = []
        for word, tag in zip(text.words, text.tags or ("",) * len(text.words), strict=True):
            draw = rng.random() / self._settings.noise
            outside = tag in (OUTSIDE, "")
            if draw < 0.2 and outside and len(text.words) > MIN_WORDS:
                continue
            if 0.2 <= draw < 0.4 and not tag.startswith("I-"):
                words.append(rng.choice(FILLERS))
                tags.append(OUTSIDE)
            words.append(_edited(word, rng) if 0.4 <= draw < 1 and len(word) > 3 else word)
            tags.append(tag)
        if not words:
            return text
        return LabelledText(tuple(words), None if text.tags is None else tuple(tags), text.intent)


def _edited(word: str, rng: Random) -> str:
    at = rng.randrange(len(word))
    letter = rng.choice(string.ascii_lowercase)
    return rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at + 1 :],
            word[:at] + letter + word[at:],
        ]
    )
