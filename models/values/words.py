"""The words of a spoken value, brought into one form."""

from __future__ import annotations

import re
from collections.abc import Sequence

Words = tuple[str, ...]

_MERGED = (
    (re.compile(r"\bo'? ?clock\b"), "oclock"),
    (re.compile(r"\b([ap])\.? ?m\b\.?"), r"\1m"),
    (re.compile(r"\bper cent\b|%"), " percent "),
    (re.compile(r"°"), " degrees "),
    (re.compile(r"(?<=[a-z])-(?=[a-z])"), " "),
    (re.compile(r"(?<=\d)(?=[a-z]+$)(?!st|nd|rd|th)"), " "),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"(?<=\d)(h|hr|hrs|m|s)(?=\s+\d)"), r" \1"),
    (re.compile(r"[,!?;]|\.(?=\s|$)"), " "),
)


def split(text: str) -> Words:
    """Words in lower case; ``o'clock``, ``p m`` and ``per cent`` become one word each."""
    text = text.lower().replace("’", "'")
    for pattern, replacement in _MERGED:
        text = pattern.sub(replacement, text)
    return tuple(text.split())


def without(words: Words, *leading: str) -> Words:
    """``words`` without those of ``leading`` at their beginning."""
    while words and words[0] in leading:
        words = words[1:]
    return words


def ends(words: Words, *endings: str) -> tuple[Words, str] | None:
    """What stands before the first of ``endings`` (phrases) that ``words`` end with, and it."""
    for ending in endings:
        tail = tuple(ending.split())
        if len(words) >= len(tail) and words[len(words) - len(tail) :] == tail:
            return words[: len(words) - len(tail)], ending
    return None


def position(words: Sequence[str], *wanted: str) -> int | None:
    """Where the first of ``wanted`` stands."""
    return next((index for index, word in enumerate(words) if word in wanted), None)
