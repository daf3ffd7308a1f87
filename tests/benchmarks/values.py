"""How many spoken forms each library of the field understands, on the table of the tests.

``python -m benchmarks.values`` (with ``tests`` on the path) measures what is installed: pip
install text2num word2number numerizer dateparser parsedatetime recurrent ctparse timefhuman.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

TABLE = Path(__file__).resolve().parents[1] / "data" / "spoken_values.yaml"
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}

Reader = Callable[[str, str, datetime], Any]
"""Type, words and now to what the library makes of them."""


def table() -> tuple[datetime, dict[str, dict[str, Any]]]:
    """The present moment of the table, and its forms by type."""
    data = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    now = datetime.fromisoformat(data.pop("now")).replace(tzinfo=ZoneInfo(data.pop("timezone")))
    return now, data


def ours() -> Reader:
    """The parser of this project."""
    from models.values import parse_value

    def read(kind: str, words: str, now: datetime) -> Any:
        found = parse_value(kind, words, now)
        return None if found is None else (found.value, found.unit)

    return read


def text2num() -> Reader:
    """Numbers; words around them are taken off first, as any user of it would do."""
    library = import_module("text_to_num")
    return _numbers(
        lambda words: float(library.alpha2digit(words, "en", threshold=0)), library.alpha2digit
    )


def word2number() -> Reader:
    """Numbers."""
    library = import_module("word2number.w2n")
    return _numbers(lambda words: float(library.word_to_num(words)))


def numerizer() -> Reader:
    """Numbers."""
    library = import_module("numerizer")
    return _numbers(lambda words: float(library.numerize(words)))


def _numbers(number: Callable[[str], float], digits: Callable[..., str] | None = None) -> Reader:
    def read(kind: str, words: str, now: datetime) -> Any:
        del now
        if kind == "number":
            return number(words)
        if kind == "percent":
            return number(re.sub(r" ?(percent|per cent|%)$", "", words)), "percent"
        if kind == "temperature":
            unit = re.search(r"(fahrenheit|celsius|kelvin)$", words)
            bare = re.sub(r" (degrees?|fahrenheit|celsius|kelvin)\b", "", words)
            return number(bare), unit.group(1) if unit else None
        if kind == "ordinal" and digits is not None:
            made = digits(words, "en", threshold=0)
            return int(re.sub(r"^(the )?(\d+)(st|nd|rd|th)$", r"\2", made))
        return None

    return read


def _moments(moment: Callable[[str, datetime], datetime | None]) -> Reader:
    def read(kind: str, words: str, now: datetime) -> Any:
        bare = now.replace(tzinfo=None)
        if kind == "duration":
            found = moment(f"in {words}", bare)
            return None if found is None else (round((found - bare).total_seconds()), "seconds")
        found = moment(words, bare)
        if found is None:
            return None
        if kind == "time":
            return found.strftime("%H:%M")
        if kind == "date":
            return found.date().isoformat()
        return found.replace(tzinfo=now.tzinfo).isoformat(timespec="seconds")

    return read


def _with_digits(words: str) -> str:
    made: str = import_module("text_to_num").alpha2digit(words, "en", threshold=0)
    return made


def dateparser() -> Reader:
    """Dates and times."""
    library = import_module("dateparser")

    def moment(words: str, now: datetime) -> datetime | None:
        settings = {"RELATIVE_BASE": now, "PREFER_DATES_FROM": "future"}
        found: datetime | None = library.parse(words, languages=["en"], settings=settings)
        return found

    return _moments(moment)


def dateparser_with_digits() -> Reader:
    """Dates and times, after text2num has made digits of the words."""
    library = import_module("dateparser")

    def moment(words: str, now: datetime) -> datetime | None:
        settings = {"RELATIVE_BASE": now, "PREFER_DATES_FROM": "future"}
        found: datetime | None = library.parse(
            _with_digits(words), languages=["en"], settings=settings
        )
        return found

    return _moments(moment)


def parsedatetime() -> Reader:
    """Dates and times."""
    calendar = import_module("parsedatetime").Calendar()

    def moment(words: str, now: datetime) -> datetime | None:
        found, status = calendar.parseDT(_with_digits(words), sourceTime=now)
        return found if status else None

    return _moments(moment)


def recurrent() -> Reader:
    """Dates, times and repetitions."""
    library = import_module("recurrent")

    def moment(words: str, now: datetime) -> datetime | None:
        found = library.RecurringEvent(now_date=now).parse(words)
        return found if isinstance(found, datetime) else None

    return _moments(moment)


def ctparse() -> Reader:
    """Dates, times and durations, with a learned ranking."""
    library = import_module("ctparse").ctparse

    def read(kind: str, words: str, now: datetime) -> Any:
        bare = now.replace(tzinfo=None)
        made = library(_with_digits(words), ts=bare, timeout=2)
        found = made.resolution if made else None
        if found is None:
            return None
        if kind == "duration":
            unit = str(found.unit.value).rstrip("s")
            return found.value * SECONDS[unit], "seconds"
        moment = found.dt
        if kind == "time":
            return moment.strftime("%H:%M")
        if kind == "date":
            return moment.date().isoformat()
        return moment.replace(tzinfo=now.tzinfo).isoformat(timespec="seconds")

    return read


def timefhuman() -> Reader:
    """Dates, times and durations."""
    library = import_module("timefhuman")

    def read(kind: str, words: str, now: datetime) -> Any:
        bare = now.replace(tzinfo=None)
        made = library.timefhuman(
            _with_digits(words), library.tfhConfig(now=bare, infer_datetimes=kind != "duration")
        )
        found = made[0] if isinstance(made, list) and made else made
        if kind == "duration":
            return (
                (round(found.total_seconds()), "seconds") if isinstance(found, timedelta) else None
            )
        if isinstance(found, timedelta):
            found = bare + found
        if kind == "time":
            return found.strftime("%H:%M") if isinstance(found, datetime | clock) else None
        if kind == "date":
            day = found.date() if isinstance(found, datetime) else found
            return day.isoformat() if isinstance(day, date) else None
        if not isinstance(found, datetime):
            return None
        return found.replace(tzinfo=now.tzinfo).isoformat(timespec="seconds")

    return read


READERS: dict[str, tuple[str, Callable[[], Reader]]] = {
    "intentd": ("models.values", ours),
    "text2num": ("text_to_num", text2num),
    "word2number": ("word2number.w2n", word2number),
    "numerizer": ("numerizer", numerizer),
    "dateparser": ("dateparser", dateparser),
    "text2num + dateparser": ("dateparser", dateparser_with_digits),
    "text2num + parsedatetime": ("parsedatetime", parsedatetime),
    "recurrent": ("recurrent", recurrent),
    "text2num + ctparse": ("ctparse", ctparse),
    "text2num + timefhuman": ("timefhuman", timefhuman),
}


def right(expected: Any, found: Any) -> bool:
    """Whether a reader found what the table says; a missing unit is no mistake."""
    if isinstance(expected, list):
        value, unit = (found if isinstance(found, tuple) else (found, None)) or (None, None)
        return _same(expected[0], value) and unit == expected[1]
    return _same(expected, found[0] if isinstance(found, tuple) else found)


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return abs(expected - found) < 1e-6
    return type(expected) is type(found) and bool(expected == found)


def main() -> None:
    """Print a table of scores, the time of import and the time for one form."""
    now, forms = table()
    kinds = [kind for kind in forms if kind != "text"]
    print("| | " + " | ".join(f"{kind} ({len(forms[kind])})" for kind in kinds) + " | ", end="")
    print("import, ms | one form, ms |\n|---|" + "---|" * (len(kinds) + 2))
    for name, (module, make) in READERS.items():
        try:
            reader = make()
        except ImportError:
            continue
        scores = []
        spent = 0.0
        tried = 0
        for kind in kinds:
            good = 0
            for words, expected in forms[kind].items():
                begun = time.perf_counter()
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        found = reader(kind, str(words), now)
                except Exception:  # noqa: BLE001 - a library that fails has not understood
                    found = None
                spent += time.perf_counter() - begun
                tried += 1
                good += right(expected, found)
            scores.append(str(good))
        each = spent / tried * 1000
        print(f"| {name} | {' | '.join(scores)} | {_import_time(module):.0f} | {each:.2f} |")


def _import_time(module: str) -> float:
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    made = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    return float(made.stdout) * 1000


if __name__ == "__main__":
    main()
