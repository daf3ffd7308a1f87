"""Percentages, temperatures and durations."""

from __future__ import annotations

from models.values.numbers import Number, cardinal, number
from models.values.value import Value
from models.values.words import Words, ends, without

LEVELS = {
    "full": 100,
    "maximum": 100,
    "max": 100,
    "fully": 100,
    "minimum": 0,
    "min": 0,
    "all the way": 100,
    "halfway": 50,
    "half way": 50,
    "half": 50,
    "a half": 50,
    "a quarter": 25,
    "quarter": 25,
    "one quarter": 25,
    "one half": 50,
    "three quarters": 75,
    "a third": 100 / 3,
    "one third": 100 / 3,
    "two thirds": 200 / 3,
}
SCALES = {"fahrenheit": "fahrenheit", "f": "fahrenheit", "celsius": "celsius", "c": "celsius"}
SCALES |= {"centigrade": "celsius", "kelvin": "kelvin"}

SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86_400}
SECONDS |= {"h": 3600, "hr": 3600, "m": 60, "s": 1}
SECONDS |= {"week": 604_800, "fortnight": 1_209_600}
SMALLER = {3600: 60, 60: 1, 86_400: 3600}
"""What a number without a unit counts behind one: ``one hour twenty``."""

_PARTS = {
    ("half",): 0.5,
    ("quarter",): 0.25,
    ("third",): 1 / 3,
    ("three", "quarters"): 0.75,
    ("three", "quarter"): 0.75,
}


def percent(words: Words) -> Value | None:
    """Parts of a hundred; a bare number counts as one."""
    bare = without(words, "the", "to")
    level = LEVELS.get(" ".join(bare))
    if level is not None:
        return Value(level, "percent")
    if bare and bare[-1] == "percent":
        bare = bare[:-1]
    found = number(bare)
    return None if found is None else Value(found, "percent")


def temperature(words: Words) -> Value | None:
    """Degrees; the unit only where it was said."""
    unit = None
    if words and words[-1] in SCALES and len(words) > 1:
        words, unit = words[:-1], SCALES[words[-1]]
    sign = 1
    below = ends(words, "below zero", "below", "under zero")
    above = ends(words, "above zero", "above")
    if below:
        words, sign = below[0], -1
    elif above:
        words = above[0]
    if words and words[-1] in ("degree", "degrees"):
        words = words[:-1]
    found = number(words)
    return None if found is None else Value(sign * found, unit)


def duration(words: Words) -> Value | None:
    """A length of time in seconds."""
    found = seconds(words)
    return None if found is None else Value(found, "seconds")


def seconds(words: Words) -> Number | None:
    """Length in seconds of ``an hour and a half`` and the like, or None."""
    words = without(words, "for", "about", "exactly")
    total: Number = 0
    begin = 0
    unit = 0
    for index, word in enumerate(words):
        size = SECONDS.get(word) or SECONDS.get(word.removesuffix("s"))
        if not size or (word == "second" and index + 1 < len(words) and unit == 0):
            continue
        many = _many(words[begin:index])
        if many is None or (unit and size >= unit):
            return None
        total += many * size
        begin, unit = index + 1, size
    if not unit:
        return None
    if words[begin:]:
        rest = _rest(words[begin:], unit)
        if rest is None:
            return None
        total += rest
    return int(total) if total == int(total) else total


def _many(words: Words) -> Number | None:
    """How many of a unit: ``an``, ``half an``, ``a quarter of an``, ``a couple of``, ``two``."""
    words = without(words, "and") if words != ("and",) else ()
    if len(words) > 1 and words[-1] in ("more", "additional"):
        words = words[:-1]
    if words in (("a",), ("an",)):
        return 1
    bare = words
    for ending in ("of an", "of a", "of", "an", "a"):
        cut = ends(words, ending)
        if cut:
            bare = cut[0]
            break
    part = _PARTS.get(without(bare, "a"))
    return part if part is not None else number(bare)


def _rest(words: Words, unit: int) -> Number | None:
    """What follows the last unit: a part of it, or a number of the next smaller one."""
    if words[0] == "and":
        part = _PARTS.get(without(words[1:], "a"))
        return None if part is None else part * unit
    many = cardinal(words)
    return None if many is None or unit not in SMALLER else many * SMALLER[unit]
