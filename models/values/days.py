"""Days, relative to today."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from models.values.numbers import cardinal, ordinal, small
from models.values.words import Words, ends, without

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = "january february march april may june july august september october november december"
_MONTHS = {name: number for number, name in enumerate(MONTHS.split(), start=1)}
_NAMED = {
    "today": 0,
    "tonight": 0,
    "tomorrow": 1,
    "yesterday": -1,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
    "the day before yesterday": -2,
    "day before yesterday": -2,
}
_HOLIDAYS = {
    "christmas": (12, 25),
    "christmas day": (12, 25),
    "christmas eve": (12, 24),
    "boxing day": (12, 26),
    "new year's eve": (12, 31),
    "new years eve": (12, 31),
    "new year's day": (1, 1),
    "new years day": (1, 1),
    "new year": (1, 1),
    "halloween": (10, 31),
    "valentine's day": (2, 14),
}
_LENGTHS = {"day": 1, "week": 7, "fortnight": 14}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def day(words: Words, today: date) -> date | None:
    """The day that ``words`` name. A weekday is the next one, ``next friday`` next week's."""
    words = without(words, "on")
    text = " ".join(words)
    if text in _NAMED:
        return today + timedelta(days=_NAMED[text])
    if _ISO.fullmatch(text):
        return _date(*map(int, text.split("-")))
    bare = " ".join(without(words, "at", "the"))
    if bare in _HOLIDAYS:
        return _coming(*_HOLIDAYS[bare], today)
    for read in (_weekday, _relative, _period, _calendar):
        found = read(words, today)
        if found is not None:
            return found
    return None


def add_months(start: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def _weekday(words: Words, today: date) -> date | None:
    if len(words) == 3 and words[1:] == ("next", "week"):
        words = ("next", words[0])
    elif words[:2] in (("this", "coming"), ("the", "coming")):
        words = words[1:]
    if not words or words[-1].removesuffix("s") not in WEEKDAYS or len(words) > 2:
        return None
    ahead = (WEEKDAYS.index(words[-1].removesuffix("s")) - today.weekday()) % 7
    coming = today + timedelta(days=ahead)
    match words[:-1]:
        case () | ("coming",):
            return coming if ahead else today + timedelta(days=7)
        case ("this",):
            return coming
        case ("next",):
            # Of next week, weeks beginning on Monday.
            same_week = coming.weekday() >= today.weekday()
            return coming + timedelta(days=7) if same_week else coming
        case ("last",):
            return coming - timedelta(days=7)
        case _:
            return None


def _relative(words: Words, today: date) -> date | None:
    """``in three days``, ``a week from friday``, ``two weeks ago``."""
    if words[:1] == ("in",):
        return _moved(words[1:], today, 1)
    cut = ends(words, "ago")
    if cut:
        return _moved(cut[0], today, -1)
    if len(words) > 1 and words[-1] == "week" and words[-2] not in ("a", "next", "last", "this"):
        start = day(words[:-1], today)  # friday week
        return None if start is None else start + timedelta(days=7)
    joint = "from" if "from" in words else "on"
    if joint in words:
        at = words.index(joint)
        start = today if words[at + 1 :] == ("now",) else day(words[at + 1 :], today)
        return None if start is None else _moved(words[:at], start, 1)
    return None


def _moved(words: Words, start: date, sign: int) -> date | None:
    if not words:
        return None
    unit = words[-1].removesuffix("s")
    amount = ends(words[:-1], "of")
    counted = amount[0] if amount else words[:-1]
    many = 1 if counted in (("a",), ("an",)) else _count(counted)
    if many is None or many > 10_000:
        return None
    if unit in _LENGTHS:
        return start + timedelta(days=sign * many * _LENGTHS[unit])
    months = {"month": 1, "year": 12}.get(unit)
    return None if months is None else add_months(start, sign * many * months)


def _count(words: Words) -> int | None:
    return 2 if words in (("a", "couple"), ("couple",)) else cardinal(words)


def _period(words: Words, today: date) -> date | None:
    """The first day of ``next week``, ``the weekend``, the last one of the month."""
    monday = today - timedelta(days=today.weekday())
    match without(words, "the", "this"):
        case ("weekend",):
            return max(today, monday + timedelta(days=5))
        case ("next", "weekend"):
            return monday + timedelta(days=12)
        case ("next", "week"):
            return monday + timedelta(days=7)
        case ("last", "week"):
            return monday - timedelta(days=7)
        case ("next", "month"):
            return add_months(today.replace(day=1), 1)
        case ("next", "year"):
            return date(today.year + 1, 1, 1)
        case ("end", "of", "the", "month") | ("last", "day", "of", "the", "month"):
            return add_months(today.replace(day=1), 1) - timedelta(days=1)
        case ("end", "of", "the", "year") | ("last", "day", "of", "the", "year"):
            return date(today.year, 12, 31)
        case _:
            return None


def _calendar(words: Words, today: date) -> date | None:
    """``the third of may``, ``may third twenty thirty``, ``friday the twenty seventh``."""
    if len(words) > 1 and words[0] in WEEKDAYS:
        found = _calendar(words[1:], today)
        return found if found and found.weekday() == WEEKDAYS.index(words[0]) else None
    words = without(words, "the")
    month = ends(words, "of next month", "of this month")
    if month:
        start = add_months(today.replace(day=1), 0 if "this" in month[1] else 1)
        place = ordinal(month[0])
        return None if place is None else _date(start.year, start.month, place)
    months = [index for index, word in enumerate(words) if word in _MONTHS]
    if not months:
        return _of_this_month(ordinal(words), today)
    at = months[0]
    named = _MONTHS[words[at]]
    if at:  # the third of may [twenty thirty]
        before = words[: at - 1] if words[at - 1] == "of" else words[:at]
        number = ordinal(before) or small(before)
        return _in_year(number, named, words[at + 1 :], today)
    rest = without(words[1:], "the")
    for cut in range(min(2, len(rest)), 0, -1):
        number = ordinal(rest[:cut]) or small(rest[:cut])
        found = _in_year(number, named, rest[cut:], today)
        if found is not None:
            return found
    return None


def _in_year(number: int | None, month: int, year: Words, today: date) -> date | None:
    if number is None:
        return None
    if not year:
        return _coming(month, number, today)
    spoken = _year(without(year, "in"))
    return None if spoken is None else _date(spoken, month, number)


def _year(words: Words) -> int | None:
    """``nineteen ninety nine``, ``twenty thirty``, ``two thousand and one``."""
    whole = cardinal(words)
    if whole is not None and whole >= 1000:
        return whole if whole < 10_000 else None
    for cut in (1, 2):
        century, rest = small(words[:cut]), words[cut:]
        within = small(rest[1:] if rest[:1] == ("oh",) else rest)
        if century is not None and 10 <= century <= 99 and within is not None:
            return century * 100 + within
    return None


def _coming(month: int, number: int, today: date) -> date | None:
    for year in range(today.year, today.year + 9):
        found = _date(year, month, number)
        if found is not None and found >= today:
            return found
    return None


def _of_this_month(number: int | None, today: date) -> date | None:
    if number is None or not 1 <= number <= 31:
        return None
    for months in range(12):
        start = add_months(today.replace(day=1), months)
        found = _date(start.year, start.month, number)
        if found is not None and found >= today:
            return found
    return None


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None
