"""The thread that writes the journal, so that a slow disk delays no audio.

Whatever goes wrong here is told, and events go on without the journal: a damaged file is set
aside and begun anew, a full disk is tried again now and then.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket as unix
import sqlite3
import threading
import time
from collections.abc import Sequence
from typing import Final

from pipeline.journal import JournalFile, Row

RETRY_SECONDS: Final = 10.0
"""After a failure events are not stored for so long."""

PRUNE_SECONDS: Final = 60.0


class JournalWriter:
    """Stores events in the order in which they come, and wakes its owner when they are stored."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self._log = logging.getLogger("intentd.journal")
        self._queue: queue.SimpleQueue[Sequence[Row] | None] = queue.SimpleQueue()
        self._problems: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._retry_at = 0.0
        self._prune_at = 0.0
        self.positions: dict[str, int] = {}
        """How far satellites' streams were published when the file was opened."""

        self.done = 0
        """Number of the last event that is stored, or that can't be."""

        self._receive, self._send = unix.socketpair()
        self._receive.setblocking(False)
        self._send.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def open(self) -> list[Row]:
        """Open the file, setting a damaged one aside; returns its last events."""
        try:
            self._open()
            tail = self._file.tail(10_000)
            self.positions = self._file.positions()
        except sqlite3.Error as error:
            self._note(error)
            tail = []
        self._thread.start()
        return tail

    @property
    def wake(self) -> int:
        """A file descriptor that is readable when something was stored."""
        return self._receive.fileno()

    def store(self, rows: Sequence[Row]) -> None:
        """Hand over events."""
        self._queue.put(rows)

    def drain(self) -> None:
        """The wake-up was heard."""
        with contextlib.suppress(BlockingIOError):
            while self._receive.recv(4096):
                pass

    def problems(self) -> list[tuple[str, str]]:
        """Codes and texts of what went wrong since this was last asked."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._problems.get_nowait())
        return found

    def close(self, seconds: float) -> None:
        """Store what was handed over, waiting no longer than this."""
        self._queue.put(None)
        self._thread.join(seconds)
        if not self._thread.is_alive():
            self._receive.close()
            self._send.close()

    def _run(self) -> None:
        while (rows := self._queue.get()) is not None:
            batch = list(rows)
            with contextlib.suppress(queue.Empty):
                while (more := self._queue.get_nowait()) is not None:
                    batch += more
                else:
                    self._queue.put(None)
            self._store(batch)
            self.done = batch[-1].seq
            with contextlib.suppress(OSError):
                self._send.send(b"!")
            self._prune()
        self._file.close()

    def _store(self, rows: list[Row]) -> None:
        if time.monotonic() < self._retry_at:
            return
        try:
            self._try_store(rows)
        except sqlite3.Error as error:
            self._note(error)
            if self._retry_at:
                return
            with contextlib.suppress(sqlite3.Error):
                self._try_store(rows)  # into the new file

    def _try_store(self, rows: list[Row]) -> None:
        if self._retry_at:
            self._file.close()
            self._open()
        self._file.insert(rows)
        if self._retry_at:
            self._retry_at = 0.0
            self._log.warning("%s: events are stored again", self._file.path)

    def _open(self) -> None:
        try:
            self._file.open()
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise
            self._begin_anew(error)

    def _begin_anew(self, error: sqlite3.Error) -> None:
        try:
            aside = self._file.set_aside()
        except OSError as problem:
            raise sqlite3.OperationalError(str(problem)) from problem
        self._problems.put(
            ("journal-damaged", f"{self._file.path}: {error}; it was set aside as {aside.name}")
        )
        self._file.open()

    def _note(self, error: sqlite3.Error) -> None:
        """Mend what can be mended, else leave events unstored for a while."""
        if _is_damage(error):
            try:
                self._begin_anew(error)
            except sqlite3.Error as again:
                error = again
            else:
                return
        if not self._retry_at:
            self._problems.put(
                (
                    "journal-failed",
                    f"{self._file.path}: {error}; events are published without being stored "
                    "until there is room for them again",
                )
            )
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _prune(self) -> None:
        now = time.monotonic()
        if now < self._prune_at or self._retry_at:
            return
        try:
            more = self._file.prune(time.time())
        except sqlite3.Error as error:
            self._log.debug("the journal can't be pruned: %s", error)
            more = False
        self._prune_at = 0.0 if more else now + PRUNE_SECONDS


def _is_damage(error: sqlite3.Error) -> bool:
    """True when another attempt with the same file is useless."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.OperationalError | sqlite3.IntegrityError
    )
