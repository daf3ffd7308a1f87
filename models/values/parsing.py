"""From words to typed values. What is only needed by some types is imported when they come."""

from __future__ import annotations

from datetime import datetime

from models.values.numbers import number, ordinal
from models.values.value import Value
from models.values.words import Words, ends, split, without

LONGEST = 30
"""More words than any value has; a long transcript isn't worth a try."""


def parse_value(kind: str, words: str, now: datetime | None = None) -> Value | None:
    """The value of ``words`` as the type ``kind`` (see docs/values.md), or None if they mean none.

    Dates and times are relative to ``now``; None is the present moment, in the machine's time
    zone. With a ``now`` that has a time zone, date-times have its offset.
    """
    if kind == "text":
        return Value(" ".join(words.lower().split()))
    said = split(words)
    if not said or len(said) > LONGEST:
        return None
    if kind in ("time", "date", "datetime"):
        return _timed(kind, said, now or datetime.now())
    if kind in ("percent", "temperature", "duration"):
        from models.values import quantities

        read = {"percent": quantities.percent, "temperature": quantities.temperature}
        return read.get(kind, quantities.duration)(said)
    if kind == "color":
        from models.values.colors import color

        return _value(color(said))
    return _value(number(without(said, "the", "number")) if kind == "number" else ordinal(said))


def _timed(kind: str, said: Words, now: datetime) -> Value | None:
    if kind == "date":
        from models.values.days import day

        part = ends(said, "morning", "afternoon", "evening", "night")
        found = day(part[0] if part else said, now.date())  # tomorrow morning
        return None if found is None else Value(found.isoformat())
    if kind == "time":
        from models.values.clock import clock

        told = clock(said, now)
        return None if told is None else Value(str(told))
    from models.values.moments import moment

    meant = moment(said, now)
    if meant is None:
        return None
    # A moment without a zone is in the machine's own.
    return Value((meant if meant.tzinfo else meant.astimezone()).isoformat(timespec="seconds"))


def _value(found: str | float | None) -> Value | None:
    return None if found is None else Value(found)
