"""Spoken forms become typed values: the table, round trips, time zones."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from subprocess import run
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words

from models.values import SPOKEN_TYPES, parse_value, typical_phrases

DATA = Path(__file__).resolve().parents[1] / "data"
TABLE = yaml.safe_load((DATA / "spoken_values.yaml").read_text("utf-8"))
LATER = yaml.safe_load((DATA / "spoken_values_later.yaml").read_text("utf-8"))
BERLIN = ZoneInfo(TABLE["timezone"])
NOW = datetime.fromisoformat(TABLE["now"]).replace(tzinfo=BERLIN)
FORMS = [
    pytest.param(kind, str(words), expected, id=f"{kind}: {words}")
    for kind in (*SPOKEN_TYPES, "text")
    for words, expected in [*TABLE[kind].items(), *LATER.get(kind, {}).items()]
]

ODDMENTS = (
    "a an the half quarter and of past to seven thirty point minus hundred thousand may at in on "
    "next last tomorrow friday first second hour minutes am night degrees dark blue dozen oh "
    "percent from now ago 2026-13-40 99:99 9999999999999999999 this monday evening week"
)


@pytest.mark.parametrize(("kind", "words", "expected"), FORMS)
def test_given_a_form_of_the_table_then_its_value_is_right(
    kind: str, words: str, expected: Any
) -> None:
    found = parse_value(kind, words, NOW)
    assert found is not None
    value, unit = expected if isinstance(expected, list) else (expected, None)
    assert found.unit == unit
    if isinstance(value, float):
        assert isinstance(found.value, float)
        assert found.value == pytest.approx(value, abs=1e-5)
    else:
        assert found.value == value
        assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [(kind, words) for kind, forms in LATER["not_understood"].items() for words in forms],
)
def test_given_a_form_that_is_not_understood_then_there_is_no_guess(kind: str, words: str) -> None:
    assert parse_value(kind, words, NOW) is None


@settings(deadline=None, max_examples=300)
@given(number=st.integers(-999_999, 999_999))
def test_given_any_number_in_words_then_it_is_that_number(number: int) -> None:
    for words in (num2words(number), num2words(number).replace("-", " ").replace(",", "")):
        found = parse_value("number", words)
        assert found is not None
        assert found.value == number


@settings(deadline=None, max_examples=200)
@given(tenths=st.integers(0, 9999))
def test_given_any_decimal_in_words_then_it_is_that_number(tenths: int) -> None:
    found = parse_value("number", num2words(tenths / 10))
    assert found is not None
    assert found.value == tenths / 10


@settings(deadline=None, max_examples=200)
@given(number=st.integers(1, 999_999))
def test_given_any_ordinal_in_words_then_it_is_that_number(number: int) -> None:
    for words in (num2words(number, to="ordinal"), num2words(number, to="ordinal_num")):
        found = parse_value("ordinal", words)
        assert found is not None
        assert found.value == number


@settings(deadline=None, max_examples=200)
@given(hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_given_any_time_in_words_then_it_is_that_time(hour: int, minute: int) -> None:
    twelve = num2words((hour - 1) % 12 + 1)
    half = "a m" if hour < 12 else "p m"
    spoken = "" if minute == 0 else num2words(minute) if minute > 9 else f"oh {num2words(minute)}"
    forms = [f"{twelve} {spoken} {half}"]
    if minute:
        forms += [f"{num2words(minute)} past {twelve} {half}"]
        forms += [f"{num2words(hour)} {spoken}"] if minute > 9 and hour > 12 else []
    for words in forms:
        found = parse_value("time", words.replace("-", " "), NOW)
        assert found is not None, words
        assert (words, found.value) == (words, f"{hour:02d}:{minute:02d}")


@settings(deadline=None, max_examples=200)
@given(day=st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_given_any_date_in_words_then_it_is_that_day(day: date) -> None:
    month, place = f"{day:%B}", num2words(day.day, to="ordinal")
    for year in (num2words(day.year), num2words(day.year, to="year")):
        for words in (f"the {place} of {month} {year}", f"{month} {place} {year}"):
            found = parse_value("date", words, NOW)
            assert found is not None, words
            assert found.value == day.isoformat()


@settings(deadline=None, max_examples=200)
@given(hours=st.integers(0, 99), minutes=st.integers(0, 59), seconds=st.integers(1, 59))
def test_given_any_length_in_words_then_it_is_that_long(
    hours: int, minutes: int, seconds: int
) -> None:
    parts = zip((hours, minutes, seconds), ("hour", "minute", "second"), strict=True)
    spoken = [f"{num2words(many)} {unit}{'s' * (many != 1)}" for many, unit in parts if many]
    for words in (" ".join(spoken), " and ".join(spoken), ", ".join(spoken)):
        found = parse_value("duration", words)
        assert found is not None
        assert (found.value, found.unit) == (hours * 3600 + minutes * 60 + seconds, "seconds")


@settings(deadline=None, max_examples=300)
@given(
    kind=st.sampled_from(SPOKEN_TYPES),
    words=st.lists(
        st.sampled_from(ODDMENTS.split()),
        max_size=8,
    ).map(" ".join),
)
def test_given_any_words_then_the_answer_is_a_value_or_none(kind: str, words: str) -> None:
    found = parse_value(kind, words, NOW)
    assert found is None or isinstance(found.value, int | float | str)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("number", "twenty twenty"),
        ("number", "hundred hundred"),
        ("number", "turn on"),
        ("number", ""),
        ("ordinal", "seven"),
        ("time", "seven sixty"),
        ("time", "twenty five o'clock"),
        ("time", "the kitchen"),
        ("date", "the thirty first of february"),
        ("date", "monday the eighth of december"),
        ("duration", "five"),
        ("duration", "five minutes two hours"),
        ("temperature", "hot"),
        ("color", "seven"),
        ("datetime", "the kitchen at seven"),
        ("number", "one " * 500),
    ],
)
def test_given_words_of_another_kind_then_there_is_no_value(kind: str, words: str) -> None:
    assert parse_value(kind, words, NOW) is None


@pytest.mark.parametrize("kind", SPOKEN_TYPES)
def test_given_the_typical_phrases_then_each_has_a_value(kind: str) -> None:
    phrases = typical_phrases(kind)
    assert len(phrases) > 40
    assert [words for words in phrases if parse_value(kind, words, NOW) is None] == []
    assert all(word.replace("'", "").isalpha() for words in phrases for word in words.split())


def test_given_a_change_of_clocks_then_hours_are_real_and_days_keep_the_time() -> None:
    before = datetime(2026, 3, 28, 22, 30, tzinfo=BERLIN)  # clocks go forward at two

    def found(words: str) -> str:
        value = parse_value("datetime", words, before)
        assert value is not None
        return str(value.value)

    assert found("in four hours") == "2026-03-29T03:30:00+02:00"
    assert found("in a day") == "2026-03-29T22:30:00+02:00"
    assert found("tomorrow at seven") == "2026-03-29T07:00:00+02:00"


def test_given_no_now_then_it_is_the_present_moment_here() -> None:
    found = parse_value("datetime", "in ten minutes")
    assert found is not None
    moment = datetime.fromisoformat(str(found.value))
    assert moment.utcoffset() == datetime.now().astimezone().utcoffset()
    ahead = moment - datetime.now().astimezone()
    assert timedelta(minutes=9, seconds=50) < ahead < timedelta(minutes=10, seconds=1)


def test_given_numbers_only_then_nothing_of_dates_and_colours_is_imported() -> None:
    code = (
        "import sys; from models.values.parsing import parse_value; parse_value('number', 'two');"
        "print([m for m in sys.modules if m in ('webcolors', 'models.values.moments', 'hassil')])"
    )
    assert run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
