"""Moments: a day and a time, or so long from now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from models.values.clock import Clock, clock, in_part
from models.values.days import day
from models.values.quantities import seconds
from models.values.words import Words, ends, without

PARTS = {
    "morning": Clock(9),
    "afternoon": Clock(15),
    "evening": Clock(19),
    "night": Clock(21),
}
"""When a part of the day is, where no time was said."""

DAWN = 6
"""Hours of a night before this one belong to the next day."""


def moment(words: Words, now: datetime) -> datetime | None:
    """The moment that ``words`` name, in the time zone of ``now``.

    A bare hour is the next one on the dial; with another day than today it is in the morning.
    """
    if words in (("now",), ("right", "now"), ("immediately",)):
        return now
    length = _length(words)
    if length is not None:
        return _later(now, length)
    months = words[:1] == ("in",) and words[-1].removesuffix("s") in ("month", "year")
    that_day = day(words, now.date()) if months else None
    if that_day is not None:
        return datetime.combine(that_day, now.timetz())
    for rest, part in _parts(words):
        for first, second in _halves(rest):
            found = _on_day(first, second, part, now)
            if found is not None:
                return found
    return None


def _length(words: Words) -> float | None:
    """Seconds from now, or None: ``in half an hour``, ``two days from now``, ``an hour ago``."""
    sign = 1
    from_now = ends(words, "from now", "from right now")
    ago = ends(words, "ago")
    if words[:1] == ("in",):
        words = words[1:]
    elif from_now:
        words = from_now[0]
    elif ago:
        words, sign = ago[0], -1
    else:
        return None
    found = seconds(words)
    return None if found is None else sign * found


def _later(now: datetime, length: float) -> datetime | None:
    """Whole days keep the time of day; shorter lengths are counted in real time."""
    try:
        if length % 86_400 == 0:
            return now + timedelta(seconds=length)
        if now.tzinfo is None:
            return datetime.fromtimestamp(now.timestamp() + length)
        return (now.astimezone(UTC) + timedelta(seconds=length)).astimezone(now.tzinfo)
    except (OverflowError, ValueError):
        return None


def _parts(words: Words) -> Iterator[tuple[Words, str | None]]:
    """``words`` as they are, and without a word for a part of the day that stands by a day."""
    if "tonight" not in words:
        yield words, None
    for index, word in enumerate(words):
        if word == "tonight":
            yield (*words[:index], "today", *words[index + 1 :]), "night"
        elif word in PARTS and index:
            before = words[:index]
            if before[-1] == "this":
                before = (*before[:-1], "today")
            yield (*before, *words[index + 1 :]), word


def _halves(words: Words) -> Iterator[tuple[Words, Words]]:
    """Every way to split words into those of a day and those of a time, in either order."""
    yield (), words
    yield words, ()
    for cut in range(1, len(words)):
        yield words[:cut], words[cut:]
        yield words[cut:], words[:cut]


def _on_day(days: Words, times: Words, part: str | None, now: datetime) -> datetime | None:
    found_day = day(days, now.date()) if days else None
    if days and found_day is None:
        return None
    if not times:
        return _at(found_day, PARTS.get(part or "", Clock(0)), now) if found_day else None
    told = clock(without(times, "at"), now)
    if told is None:
        return None
    if part is not None:
        if found_day is None:
            return None
        told = in_part(told, part)
        if part == "night" and told.hour < DAWN:
            found_day += timedelta(days=1)
    if found_day is None or (found_day == now.date() and not told.fixed):
        return _next(told, now)
    return _at(found_day, told, now)


def _next(told: Clock, now: datetime) -> datetime | None:
    """The next time that a clock shows ``told``."""
    options = [told] if told.fixed else [told, told.later()]
    days = (now.date(), now.date() + timedelta(days=1))
    moments = [_at(found, option, now) for found in days for option in options]
    return min((found for found in moments if found >= now), default=None)


def _at(found: date, told: Clock, now: datetime) -> datetime:
    return datetime.combine(found, time(told.hour, told.minute), now.tzinfo)
