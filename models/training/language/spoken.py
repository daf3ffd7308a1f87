"""Written English as it is spoken: lower case, words for numbers, no punctuation.

What a recogniser writes looks like this, so that a model of written text meets its words there.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from hassil.numbers import get_rbnf_engine
from unicode_rbnf import FormatPurpose

_CLOCK = re.compile(r"(\d{1,2})[:.](\d\d)(?::\d\d)?(am|pm|a\.m\.?|p\.m\.?)?")
_HOUR = re.compile(r"(\d{1,4})(am|pm|a\.m\.?|p\.m\.?)")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_YEAR = re.compile(r"(1[1-9]\d\d|20\d\d)('?s)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_DECIMAL = re.compile(r"(\d+)\.(\d+)")
_APOSTROPHE = re.compile(r"[a-z]+'[a-z]+|'(?:n|til|cause|em|s)")
_SIGNS = {"&": "and", "%": "percent", "@": "at", "#": "number", "+": "plus", "=": "equals"}
_LONGEST = 4
"""Digits of a number that is said as one; a longer one is spelled."""


def plain(text: str) -> str:
    """Lower case, straight apostrophes, no accents."""
    text = unicodedata.normalize("NFD", text.lower().replace("’", "'"))
    return "".join(c for c in text if not unicodedata.combining(c))


def written_words(token: str) -> list[str]:
    """A token of plain text without the punctuation around it: one word, or none."""
    word = re.sub(r"^[^\w&]+|[^\w&]+$", "", token)
    return [word] if word else []


def spoken_words(token: str) -> list[str]:
    """A token of plain text as it is said: any number of words."""
    token = token.strip('.,;:!?"()[]{}<>')
    if match := _CLOCK.fullmatch(token):
        return _clock(int(match[1]), int(match[2]), match[3])
    if match := _HOUR.fullmatch(token):
        digits = match[1]
        hour = cardinal(int(digits[:-2])) + cardinal(int(digits[-2:])) if len(digits) > 2 else None
        return [*(hour or cardinal(int(digits))), match[2][0], "m"]
    if token in ("am", "pm", "a.m", "p.m"):
        return [token[0], "m"]
    if match := _ORDINAL.fullmatch(token):
        return list(_say(int(match[1]), FormatPurpose.ORDINAL))
    if match := _YEAR.fullmatch(token):
        words = list(_say(int(match[1]), FormatPurpose.YEAR))
        return [*words[:-1], _decade(words[-1])] if match[2] else words
    if _THOUSANDS.fullmatch(token):
        token = token.replace(",", "")
    if match := _DECIMAL.fullmatch(token):
        digits = [word for digit in match[2] for word in cardinal(int(digit))]
        return [*_number(match[1]), "point", *digits]
    return _mixed(token)


def cardinal(number: int) -> list[str]:
    """A number in words: 42 is forty two."""
    return list(_say(number, FormatPurpose.CARDINAL))


@cache
def _say(number: int, purpose: FormatPurpose) -> tuple[str, ...]:
    texts = get_rbnf_engine("en").format_number(number, purpose).text_by_ruleset
    text = re.sub(r"[-,\u00ad]", " ", next(iter(texts.values()))).lower()
    return tuple(word for word in text.split() if word != "and")


def _clock(hour: int, minute: int, half: str | None) -> list[str]:
    words = cardinal(hour)
    if minute:
        words += (["o"] if minute < 10 else []) + cardinal(minute)
    elif not half:
        words.append("o'clock")
    return words + ([half[0], "m"] if half else [])


def _decade(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


def _number(digits: str) -> list[str]:
    if len(digits) <= _LONGEST:
        return cardinal(int(digits))
    return [word for digit in digits for word in cardinal(int(digit))]


def _mixed(token: str) -> list[str]:
    for sign, word in _SIGNS.items():
        token = token.replace(sign, f" {word} ")
    token = re.sub(r"'(?=\d)|(?<=\d)'|(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)", " ", token)
    words: list[str] = []
    for part in re.sub(r"[^a-z0-9']", " ", token).split():
        word = part if _APOSTROPHE.fullmatch(part) else part.strip("'")
        if word.isdigit():
            words += _number(word)
        elif word:
            words.append(word)
    return words
