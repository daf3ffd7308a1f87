"""What people often say for a value of each type: for training and speech recognition."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from models.values.days import MONTHS, WEEKDAYS
from models.values.numbers import TENS, UNITS

_COLORS = (
    "red green blue yellow orange purple pink white black brown gray turquoise cyan magenta violet "
    "gold silver lime navy teal"
)
_HOURS = list(UNITS)[1:13]
_MINUTES = ("fifteen", "thirty", "forty five", "ten", "twenty")
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_FIRST = _ORDINALS.split()
_PLACES = (
    *_FIRST,
    *(f"twenty {place}" for place in _FIRST[:9]),
    "thirtieth",
    "thirty first",
)


@lru_cache
def typical_phrases(kind: str) -> tuple[str, ...]:
    """Phrases of the type ``kind``, each once, in an order that never changes."""
    return tuple(dict.fromkeys(_PHRASES[kind]()))


def _whole(last: int = 100) -> Iterator[str]:
    yield from list(UNITS)[: last + 1]
    for ten in TENS:
        for unit in ("", *list(UNITS)[1:10]):
            if TENS[ten] + UNITS.get(unit, 0) < last:
                yield f"{ten} {unit}".strip()
    if last >= 100:
        yield from ("a hundred", "one hundred")


def _numbers() -> Iterator[str]:
    yield from _whole()
    yield from ("two hundred", "five hundred", "a thousand", "one point five", "two and a half")


def _percents() -> Iterator[str]:
    yield from (f"{number} percent" for number in _whole())
    yield from ("half", "a quarter", "three quarters", "maximum", "full")


def _temperatures() -> Iterator[str]:
    for number in _whole(90):
        yield f"{number} degrees"
    for number in ("eighteen", "nineteen", "twenty", "twenty one", "twenty two", "twenty three"):
        yield from (f"{number} point five degrees", f"{number} and a half degrees", number)
        yield f"{number} degrees celsius"
    yield from ("seventy degrees fahrenheit", "minus five degrees", "five degrees below zero")


def _durations() -> Iterator[str]:
    for unit in ("second", "minute", "hour", "day"):
        yield from (f"one {unit}", f"{'an' if unit == 'hour' else 'a'} {unit}")
        numbers = list(_whole(60))[2:] if unit in ("second", "minute") else list(_whole(24))[2:]
        yield from (f"{number} {unit}s" for number in numbers)
    yield from ("half an hour", "a quarter of an hour", "three quarters of an hour", "a week")
    yield from ("an hour and a half", "one and a half hours", "two and a half hours")
    yield from ("a minute and a half", "one hour and thirty minutes", "two hours and ten minutes")
    yield from ("one minute thirty", "an hour and fifteen minutes", "half a minute", "two weeks")


def _times() -> Iterator[str]:
    for hour in _HOURS:
        yield from (hour, f"{hour} o'clock", f"{hour} a m", f"{hour} p m")
        yield from (f"half past {hour}", f"a quarter past {hour}", f"quarter to {hour}")
        yield from (f"{hour} {minute}" for minute in _MINUTES)
        yield from (f"{hour} thirty a m", f"{hour} thirty p m", f"{hour} oh five")
        yield from (f"ten past {hour}", f"twenty to {hour}", f"{hour} in the morning")
        yield f"{hour} in the evening"
    yield from ("noon", "midnight", "midday")


def _dates() -> Iterator[str]:
    yield from ("today", "tomorrow", "the day after tomorrow", "yesterday")
    for weekday in WEEKDAYS:
        yield from (weekday, f"on {weekday}", f"next {weekday}", f"this {weekday}")
    yield from ("next week", "in three days", "in a week", "in two weeks", "this weekend")
    months = MONTHS.split()
    for index, place in enumerate(_PLACES):
        yield from (f"the {place}", f"the {place} of {months[index % 12]}")
        yield f"{months[(index + 5) % 12]} {place}"


def _moments() -> Iterator[str]:
    for hour in _HOURS:
        yield from (f"at {hour}", f"at {hour} thirty", f"at half past {hour}", f"at {hour} p m")
        yield from (f"tomorrow at {hour}", f"tonight at {hour}", f"tomorrow at {hour} a m")
        yield f"on {WEEKDAYS[UNITS[hour] % 7]} at {hour}"
    for length in ("five minutes", "ten minutes", "half an hour", "an hour", "two hours", "a week"):
        yield from (f"in {length}", f"{length} from now")
    yield from ("tomorrow morning", "tomorrow evening", "tonight", "at noon", "at midnight")


def _places() -> Iterator[str]:
    yield from _PLACES
    yield from (f"the {place}" for place in (*_FIRST, "last"))


def _colors() -> Iterator[str]:
    for name in _COLORS.split():
        yield from (name, f"dark {name}", f"light {name}") if name != "white" else (name,)
    yield from ("warm white", "cool white", "sky blue", "hot pink")


_PHRASES = {
    "number": _numbers,
    "ordinal": _places,
    "percent": _percents,
    "temperature": _temperatures,
    "duration": _durations,
    "time": _times,
    "date": _dates,
    "datetime": _moments,
    "color": _colors,
}
