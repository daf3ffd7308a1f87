"""The words of a speech model and their numbers in its graphs (``words.txt``)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from models.errors import ModelError

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
"""A word as English speech models spell it: "it's", but no "rock 'n' roll"."""


def read_words(path: Path) -> dict[str, int]:
    """Numbers of all words in a ``words.txt``; raises ModelError if it can't be read."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"{path} can't be read: {reason}") from None
    words = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            word, value = line.split()
            words[word] = int(value)
        except ValueError:
            raise ModelError(f"{path}, line {number}: must be a word and its number") from None
    if words.get("<eps>") != 0:
        raise ModelError(f"{path}: the word <eps> with number 0 is missing")
    return words


def words_text(words: Mapping[str, int]) -> str:
    """The text of a ``words.txt``, in the order of the numbers."""
    return "".join(f"{word} {words[word]}\n" for word in sorted(words, key=words.__getitem__))


def file_hash(path: Path) -> str:
    """SHA-256 of a ``words.txt`` or ``phones.txt``: graphs fit a model only if it has the same."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}") from None


def missing_words(needed: Iterable[str], path: Path) -> tuple[str, ...]:
    """Which of ``needed`` a model with the ``words.txt`` at ``path`` lacks, in order."""
    known = read_words(path)
    return tuple(sorted(set(needed) - known.keys()))
