"""Times of day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.values.numbers import cardinal, small
from models.values.words import Words, ends, position, without

_PAST = ("past", "after")
_TO = ("to", "till", "until", "before", "of")
_WRITTEN = re.compile(r"(\d{1,2})[:.](\d{2})")
_AFTERNOON = (
    "pm",
    "in the afternoon",
    "in the evening",
    "this afternoon",
    "this evening",
    "tonight",
)
_NAMED = {"noon": 12, "midday": 12, "midnight": 0}


@dataclass(frozen=True)
class Clock:
    """A time of day."""

    hour: int
    """0 … 23."""

    minute: int = 0
    fixed: bool = True
    """False where the hour may as well be twelve hours later: ``seven``."""

    def __str__(self) -> str:
        return f"{self.hour:02d}:{self.minute:02d}"

    def later(self) -> Clock:
        """The same on the dial, twelve hours later."""
        return Clock((self.hour + 12) % 24, self.minute)


def clock(words: Words, now: datetime) -> Clock | None:
    """The time that ``words`` tell; ``a quarter past`` without an hour is the next one."""
    words = without(words, "at", "by", "about", "around", "exactly")
    exact = ends(words, "sharp", "exactly")
    if exact:
        words = exact[0]
    if words in (("now",), ("right", "now")):
        return Clock(now.hour, now.minute)
    for suffix, read in (
        ("am", _morning),
        ("in the morning", _morning),
        ("at night", _night),
        *((suffix, _evening) for suffix in _AFTERNOON),
    ):
        cut = ends(words, suffix)
        if cut:
            found = _bare(cut[0], now)
            return read(found) if found and found.hour <= 12 else found
    return _bare(words, now)


def in_part(found: Clock, part: str) -> Clock:
    """``found`` in a part of the day: ``morning``, ``afternoon``, ``evening`` or ``night``."""
    if found.fixed:
        return found
    return {"morning": _morning, "night": _night}.get(part, _evening)(found)


def _morning(found: Clock) -> Clock:
    return Clock(found.hour % 12, found.minute)


def _evening(found: Clock) -> Clock:
    return Clock(found.hour % 12 + 12, found.minute)


def _night(found: Clock) -> Clock:
    early = found.hour % 12 < 6
    return Clock(found.hour % 12 + (0 if early else 12), found.minute)


def _bare(words: Words, now: datetime) -> Clock | None:
    """A time without a word for the part of the day."""
    if words and words[-1] == "oclock":
        return _hour(words[:-1])
    if len(words) == 1 and words[0] in _NAMED:
        return Clock(_NAMED[words[0]])
    if words == ("twelve", "noon"):
        return Clock(12)
    if words == ("twelve", "midnight"):
        return Clock(0)
    if len(words) == 1 and _WRITTEN.fullmatch(words[0]):
        written = [int(part) for part in words[0].replace(".", ":").split(":")]
        return _valid(*written, fixed=words[0][0] == "0" or not 0 < written[0] <= 12)
    at = position(words, *_PAST, *_TO)
    if at is not None:
        return _relative(words[:at], words[at], words[at + 1 :], now)
    if words[:1] == ("half",) and len(words) > 1:
        half = _hour(words[1:])
        return half and Clock(half.hour, 30, half.fixed)
    return _hundred(words) or _hour(words) or _hour_and_minute(words)


def _relative(minutes: Words, sign: str, hours: Words, now: datetime) -> Clock | None:
    minutes = without(minutes, "a")
    if minutes and minutes[-1] in ("minute", "minutes"):
        minutes = minutes[:-1]
    named = {"quarter": 15, "half": 30}
    minute = named.get(" ".join(minutes)) or small(minutes)
    if minute is None or not 0 < minute < 60:
        return None
    if sign in _TO:
        minute = 60 - minute
    if not hours:
        ahead = (minute - now.minute) % 60 or 60
        moment = now + timedelta(minutes=ahead)
        return Clock(moment.hour, moment.minute)
    hour = _hour(hours) or _bare(hours, now)
    if hour is None or hour.minute:
        return None
    if sign in _TO:
        before = (hour.hour - 1) % 24
        return Clock(12 if hour.hour == 1 and not hour.fixed else before, minute, hour.fixed)
    return Clock(hour.hour, minute, hour.fixed)


def _hour(words: Words) -> Clock | None:
    """``seven``, ``oh seven``, ``nineteen``."""
    if words and words[-1] == "oclock":
        words = words[:-1]
    padded = len(words) == 2 and words[0] in ("oh", "zero")
    hour = small(words[1:] if padded else words)
    return None if hour is None else _valid(hour, 0, fixed=padded or not 0 < hour <= 12)


def _hundred(words: Words) -> Clock | None:
    """``eighteen hundred hours``."""
    cut = ends(words, "hundred hours", "hundred")
    if not cut:
        return None
    hour = _hour(cut[0])
    return hour and Clock(hour.hour, 0)


def _hour_and_minute(words: Words) -> Clock | None:
    """``seven thirty``, ``seven oh five``, ``twenty three fifty nine``."""
    for cut in (2, 1):
        hour, rest = _hour(words[:cut]), words[cut:]
        if hour is None or not rest:
            continue
        padded = len(rest) == 2 and rest[0] in ("oh", "zero", "o")
        minute = cardinal(rest[1:] if padded else rest)
        if minute is not None and (minute < 10 if padded else 10 <= minute < 60):
            return Clock(hour.hour, minute, hour.fixed)
    return None


def _valid(hour: int, minute: int, *, fixed: bool) -> Clock | None:
    if hour == 24 and minute == 0:
        return Clock(0)
    return Clock(hour, minute, fixed) if hour < 24 and minute < 60 else None
