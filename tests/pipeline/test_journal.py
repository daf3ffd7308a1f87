"""The journal: what is stored, for how long, and what happens when the file is broken."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.catch_up import Request
from pipeline.configuration import JournalSection
from pipeline.events import IntentEvent, from_json
from pipeline.journal import JournalFile, JournalReader, Row, position_in
from pipeline.store import Store
from stages.messages import (
    SAMPLE_RATE,
    ErrorReport,
    Intent,
    Partial,
    Span,
    StageMessage,
    StateReport,
    Transcript,
)

NAMES = {"source": "kitchen", "stream": "s"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


def section(path: Path) -> JournalSection:
    return JournalSection(path=str(path))


def said(identity: str, text: str = "give me a latte") -> Transcript:
    return Transcript(
        **NAMES,
        id=identity,
        text=text,
        speech=Span(start=1.0, end=2.0),
        position=1,
        intent=Intent(name="orderDrink", confidence=0.9),
        accepted=True,
    )


def publish(store: Store, *messages: StageMessage) -> list[int]:
    """Numbers of the events that are let go."""
    for message in messages:
        store.take(message)
    return [event.seq for batch in store.release_all() for event, _ in batch.events]


def sent(identity: str, start: float, end: float, part: int = 1) -> Transcript:
    """By a satellite, in one of the parts that hubs made of its stream."""
    return Transcript(
        source="attic",
        stream=f"satellites/attic-01J-{part}",
        id=identity,
        text="give me a latte",
        speech=Span(start=start, end=end),
        position=round((end + 0.8) * SAMPLE_RATE),
    )


def test_what_a_satellite_sends_again_is_not_published_under_another_id(path: Path) -> None:
    store = Store(section(path), understands=True)
    assert len(publish(store, sent("a", 1.0, 2.0), sent("b", 3.0, 4.0))) == 4
    assert publish(store, sent("a2", 1.02, 1.98, part=2)) == []
    store.close()
    assert position_in(section(path))("attic-01J") == 4.8 * SAMPLE_RATE

    store = Store(section(path), understands=True)
    assert publish(store, sent("b2", 2.98, 4.03)) == []
    assert len(publish(store, sent("c", 4.9, 6.0))) == 2, "this one is new"
    store.close()


@pytest.fixture
def rows() -> list[Row]:
    return [Row(n, 1000.0 + n, f"intent/a{n % 2}/", f"id{n}", b"{}" * 200) for n in range(1, 1001)]


@pytest.fixture
def file(path: Path) -> Iterator[JournalFile]:
    path.parent.mkdir(parents=True)
    journal = JournalFile(path, days=30, megabytes=100)
    journal.open()
    yield journal
    journal.close()


def test_it_is_for_the_user_alone_and_survives_its_writer(file: JournalFile) -> None:
    file.insert([Row(1, 1.0, "state/", "a", b"{}")])
    assert file.path.stat().st_mode & 0o777 == 0o600
    # No close(): as after SIGKILL.
    rows, last = JournalReader(file.path).page(0, ("",), until=1, span=10)
    assert ([row.seq for row in rows], last) == ([1], 1)


def test_a_page_holds_what_was_asked_for_and_says_how_far_it_looked(
    file: JournalFile, rows: list[Row]
) -> None:
    file.insert(rows)
    reader = JournalReader(file.path)
    found, last = reader.page(100, ("intent/a1/",), until=1000, span=50)
    assert [row.seq for row in found] == list(range(101, 151, 2))
    assert last == 150
    found, last = reader.page(990, ("",), until=995, span=50)
    assert ([row.seq for row in found], last) == ([991, 992, 993, 994, 995], 995)


def test_what_is_too_old_goes(file: JournalFile, rows: list[Row]) -> None:
    file.insert(rows)
    while file.prune(now=1000 + 700 + 30 * 86_400):
        pass
    assert file.tail(1000)[0].seq == 700


def test_what_is_too_much_goes_oldest_first(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True)
    file = JournalFile(path, days=36_500, megabytes=0.2)
    file.open()
    file.insert(rows)
    while file.prune(now=2000.0):
        pass
    left = [row.seq for row in file.tail(2000)]
    assert left[-1] == 1000
    assert 0 < len(left) <= 500
    file.close()
    assert path.stat().st_size < 400_000


def test_events_are_let_go_when_they_are_stored(path: Path) -> None:
    store = Store(section(path), understands=True)
    assert publish(store, said("a"), said("b")) == [1, 2, 3, 4]
    store.close()
    [transcript, intent, *_] = JournalReader(path).history(after=0.0, topic="", limit=10)
    assert transcript.topic == "transcript/"
    assert isinstance(from_json(intent.body), IntentEvent)


def test_after_a_crash_numbers_go_on_and_what_is_said_again_is_known(path: Path) -> None:
    store = Store(section(path), understands=True)
    publish(store, said("a"), StateReport(**NAMES, state="muted", id="st1"))
    store._numbering.close()  # the lock of a process that was killed
    again = Store(section(path), understands=True)
    assert publish(again, said("a"), StateReport(**NAMES, state="muted", id="st1")) == []
    assert publish(again, said("b")) == [4, 5]
    assert set(again.states) == {"kitchen"}
    again.close()


def test_a_partial_that_is_heard_again_is_told_once(path: Path) -> None:
    store = Store(section(path), understands=True)
    told = [
        publish(store, Partial(**NAMES, id="a", text=text))
        for text in ("give", "give me", "give", "give me", "give me a")
    ]
    assert told == [[1], [2], [], [], [3]]
    publish(store, said("a"))
    assert publish(store, Partial(**NAMES, id="a", text="late")) == []
    store.close()


def test_a_damaged_file_is_set_aside_and_numbers_go_on(path: Path) -> None:
    store = Store(section(path), understands=True)
    publish(store, said("a"))
    store.close()
    path.write_bytes(b"no database" * 1000)
    store = Store(section(path), understands=True)
    assert [report.code for report in store.problems()] == ["journal-damaged"]
    assert publish(store, said("b")) == [3, 4]
    store.close()
    aside = [p.name for p in path.parent.iterdir() if "damaged" in p.name]
    assert len(aside) == 1
    assert [row.seq for row in JournalReader(path).history(after=0, topic="", limit=9)] == [3, 4]


def test_a_file_that_is_damaged_while_it_is_open_does_not_stop_events(path: Path) -> None:
    store = Store(section(path), understands=True)
    publish(store, *(said(f"a{n}") for n in range(50)))
    assert store._writer is not None
    store._writer._file._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
    found = publish(store, *(said(f"b{n}") for n in range(50)))
    assert found == list(range(101, 201))
    problems = store.problems()
    store.close()
    # SQLite may not have looked at the file meanwhile; then the next start finds it.
    store = Store(section(path), understands=True)
    problems += store.problems()
    assert {report.code for report in problems} == {"journal-damaged"}
    assert publish(store, said("c")) == [201, 202]
    store.close()


def test_a_second_daemon_keeps_its_hands_off(path: Path) -> None:
    first = Store(section(path), understands=True)
    second = Store(section(path), understands=True)
    [report] = second.problems()
    assert report.code == "journal-in-use"
    assert publish(second, said("a")) == [1, 2]
    _, page = second.page(Request(since=0, token="t"))
    assert not page.journal
    second.close()
    first.close()


def test_a_folder_that_can_not_be_had_is_told_and_events_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(section(tmp_path / "file" / "journal.db"), understands=True)
    [report] = store.problems()
    assert report.code == "journal-failed"
    assert "set journal.path" in report.detail
    assert publish(store, said("a")) == [1, 2]
    store.close()


def test_a_disk_that_hangs_delays_an_event_by_a_second_at_most(path: Path) -> None:
    store = Store(section(path), understands=True)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    assert publish(store, said("a")) == [1, 2]
    assert time.monotonic() - begun < 1.5
    blocker.execute("ROLLBACK")
    blocker.close()
    store.close()


def test_pages_hold_only_what_was_published(path: Path) -> None:
    store = Store(section(path), understands=False)
    publish(store, said("a"), said("b"))
    store.take(said("c"))
    rows, page = store.page(Request(since=0, token="t"))
    assert [row.seq for row in rows] == [1, 2]
    assert (page.last, page.more, page.journal) == (2, False, True)
    publish(store)
    store.close()


def test_reports_without_an_id_are_never_taken_for_repetitions(path: Path) -> None:
    store = Store(section(path), understands=True)
    report = ErrorReport(source="", stream="", code="x", detail="y")
    assert publish(store, report, report) == [1, 2]
    store.close()
