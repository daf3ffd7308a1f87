"""Finds how a word is spoken, and says where that comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from models.pronunciation.dictionary import read_dictionary
from models.pronunciation.joint_ngram import read_model
from models.pronunciation.phones import Phones

_DIGIT = re.compile(r"\d")

Origin = Literal["override", "model", "dictionary", "guess"]
"""A user's own, the speech model's lexicon, the CMU dictionary, or made from the spelling."""


class Pronunciation(msgspec.Struct, frozen=True):
    """The ways in which a word is spoken."""

    word: str
    ways: tuple[Phones, ...]
    origin: Origin


class Pronouncer:
    """Looks words up: a user's own pronunciations, then a speech model's, then the dictionary.

    ``overrides`` and ``lexicon`` have several pronunciations a word; words are lower case. A word
    that none of them has gets the ``guesses`` likeliest pronunciations of its spelling.
    """

    def __init__(
        self,
        lexicon: Mapping[str, Sequence[Phones]],
        overrides: Mapping[str, Sequence[Phones]] | None = None,
        *,
        guesses: int = 1,
    ) -> None:
        self._lexicon = lexicon
        self._overrides = overrides or {}
        self._guesses = guesses

    def pronounce(self, word: str) -> Pronunciation | None:
        """How ``word`` is spoken; None if nothing is known that could say so."""
        if word in self._overrides:
            return Pronunciation(word, tuple(self._overrides[word]), "override")
        if word in self._lexicon:
            return Pronunciation(word, tuple(self._lexicon[word]), "model")
        known = read_dictionary().get(word)
        if known:
            return Pronunciation(word, known, "dictionary")
        if not self._guesses or _DIGIT.search(word):
            return None
        guessed = read_model().guess(word, self._guesses)
        return Pronunciation(word, guessed, "guess") if guessed else None

    def pronounce_all(
        self, words: Iterable[str]
    ) -> tuple[dict[str, Pronunciation], tuple[str, ...]]:
        """Pronunciations of ``words``, and the words that have none; both sorted."""
        found = {}
        missing = []
        for word in sorted(set(words)):
            pronunciation = self.pronounce(word)
            if pronunciation is None:
                missing.append(word)
            else:
                found[word] = pronunciation
        return found, tuple(missing)
