"""How common English words are, from the package wordfreq (its data: CC BY-SA 4.0)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from models.errors import ModelError
from models.pronunciation.dictionary import read_dictionary
from models.vosk.words import WORD

_MOST = 200_000
"""More than the list has."""


def frequent_words(count: int) -> list[str]:
    """The ``count`` commonest words that the dictionary can pronounce, commonest first.

    Raises ModelError if wordfreq is missing.
    """
    dictionary = read_dictionary()
    listed = _wordfreq().top_n_list("en", _MOST)
    known = [word for word in listed if WORD.fullmatch(word) and word in dictionary]
    return known[:count]


def word_shares(words: Iterable[str]) -> dict[str, float]:
    """How much of English text each word is; 0.0 for words that are not in the list."""
    frequency = _wordfreq().word_frequency
    return {word: float(frequency(word, "en")) for word in words}


def _wordfreq() -> Any:
    try:
        import wordfreq
    except ModuleNotFoundError:
        raise ModelError(
            "the commonest words need the package wordfreq: pip install 'intentd[train]'"
        ) from None
    return wordfreq
