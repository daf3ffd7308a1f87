"""The journal: every event in an SQLite file, before it is published, for as long as configured.

WAL mode: a reader never waits for the writer. ``synchronous=NORMAL``: what is stored survives
the death of every process at once; a power cut may take the last moments, and never the file.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import platformdirs

from models.paths import expand
from pipeline.configuration import JournalSection

SCHEMA: Final = 1

BUSY_SECONDS: Final = 2.0

PRUNE_ROWS: Final = 100
"""Rows that are deleted at once, so that no event waits for a long deletion."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, time REAL NOT NULL, topic TEXT NOT NULL, id TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS streams (name TEXT PRIMARY KEY, position INTEGER NOT NULL, time REAL);
"""


class Row(NamedTuple):
    """An event as it is stored."""

    seq: int
    time: float
    topic: str
    id: str
    body: bytes
    stream: str = ""
    """Satellites' only: a name of the stream that is its own beyond this daemon's life."""

    position: int = 0
    """Samples of the stream that are dealt with when this event is out."""


def default_path() -> Path:
    """``$XDG_STATE_HOME/intentd/journal.db``."""
    return Path(platformdirs.user_state_dir("intentd")) / "journal.db"


def journal_path(section: JournalSection) -> Path:
    """Where a configuration keeps it."""
    return expand(section.path) if section.path else default_path()


def position_in(section: JournalSection) -> Callable[[str], int]:
    """Tells how far a satellite's stream is published; 0 where nobody knows."""

    def position(stream: str) -> int:
        if not section.enabled:
            return 0
        try:
            return JournalReader(journal_path(section)).position(stream)
        except sqlite3.Error:
            return 0

    return position


class JournalFile:
    """The file, for the thread that writes. Its methods raise sqlite3.Error."""

    def __init__(self, path: Path, *, days: float, megabytes: float) -> None:
        self.path = path
        self._days = days
        self._bytes = megabytes * 1e6
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or make it. Raises sqlite3.DatabaseError for a file that is damaged."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise sqlite3.OperationalError(error.strerror) from error
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 1000000")
            [[verdict]] = connection.execute("PRAGMA quick_check(1)").fetchall()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            [[version]] = connection.execute("PRAGMA user_version").fetchall()
            if version not in (0, SCHEMA):
                raise sqlite3.DatabaseError(f"it is of version {version}")
            connection.executescript(_TABLES)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection

    def insert(self, rows: Sequence[Row]) -> None:
        """Store events, all or none."""
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)", [row[:5] for row in rows]
            )
            connection.executemany(
                "INSERT OR REPLACE INTO streams VALUES (?, ?, ?)",
                [(row.stream, row.position, row.time) for row in rows if row.stream],
            )
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def prune(self, now: float) -> bool:
        """Delete a few of what is too old or too much; True when there is more of it."""
        connection = self._opened()
        cutoff = now - self._days * 86_400
        if self._oldest() >= cutoff and self._size() <= self._bytes:
            return False
        rows = connection.execute(
            "SELECT seq, time FROM events ORDER BY seq LIMIT ?", (PRUNE_ROWS,)
        ).fetchall()
        if self._size() <= self._bytes:
            rows = [row for row in rows if row[1] < cutoff]
        connection.execute("DELETE FROM events WHERE seq <= ?", (rows[-1][0],))
        connection.execute("DELETE FROM streams WHERE time <= ?", (rows[-1][1],))
        # execute() would free a single page: the pragma is to be stepped to its end.
        connection.executescript("PRAGMA incremental_vacuum")
        return len(rows) == PRUNE_ROWS

    def _oldest(self) -> float:
        row = self._opened().execute("SELECT time FROM events ORDER BY seq LIMIT 1").fetchone()
        return float(row[0]) if row else float("inf")

    def _size(self) -> int:
        connection = self._opened()
        pages, free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def tail(self, count: int) -> list[Row]:
        """The last events, oldest first."""
        rows = self._opened().execute(
            "SELECT seq, time, topic, id, body FROM events ORDER BY seq DESC LIMIT ?", (count,)
        )
        return [Row(*row) for row in rows][::-1]

    def positions(self) -> dict[str, int]:
        """How far each satellite's stream is published."""
        return dict(self._opened().execute("SELECT name, position FROM streams"))

    def set_aside(self) -> Path:
        """Move a damaged file out of the way; returns its new name."""
        self.close()
        target = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        os.replace(self.path, target)
        for suffix in ("-wal", "-shm"):
            side = self.path.with_name(self.path.name + suffix)
            if side.exists():
                os.replace(side, target.with_name(target.name + suffix))
        return target

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("it is not open")
        return self._connection


class JournalReader:
    """Reads the journal while somebody else may write it. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _connect(self) -> sqlite3.Connection:
        # Not mode=ro: a reader has to be able to make the shared memory file of the WAL.
        connection = sqlite3.connect(f"file:{self._path}?mode=rw", uri=True, timeout=BUSY_SECONDS)
        connection.execute("PRAGMA query_only = 1")
        return connection

    def page(
        self, since: int, topics: Sequence[str], *, until: int, span: int
    ) -> tuple[list[Row], int]:
        """Events behind ``since`` whose topics begin with any of ``topics``.

        Looks at no more than ``span`` numbers, none above ``until``; returns also the last
        number that it has looked at.
        """
        with closing(self._connect()) as connection:
            oldest = connection.execute("SELECT min(seq) FROM events").fetchone()[0]
            if oldest is None:
                return [], until
            since = max(since, oldest - 1)
            last = min(until, since + span)
            rows = connection.execute(
                "SELECT seq, time, topic, id, body FROM events WHERE seq > ? AND seq <= ? "
                "ORDER BY seq",
                (since, last),
            )
            return [Row(*row) for row in rows if row[2].startswith(tuple(topics))], last

    def position(self, stream: str) -> int:
        """How far a satellite's stream is published."""
        with closing(self._connect()) as connection:
            row = connection.execute("SELECT position FROM streams WHERE name = ?", (stream,))
            return int((row.fetchone() or (0,))[0])

    def history(self, *, after: float, topic: str, limit: int) -> Iterator[Row]:
        """Events since the time ``after`` of one topic (a prefix), oldest first."""
        with closing(self._connect()) as connection:
            rows = connection.execute(
                "SELECT seq, time, topic, id, body FROM events WHERE time >= ? "
                "AND substr(topic, 1, ?) = ? ORDER BY seq DESC LIMIT ?",
                (after, len(topic), topic, limit),
            ).fetchall()
        for row in reversed(rows):
            yield Row(*row)
