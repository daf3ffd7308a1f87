"""The numbers of events, which go on across restarts even when the journal is lost.

A file of fixed size holds the id of the numbering and the last number that was given. It is
overwritten in place, which a full disk allows, and its lock keeps a second daemon away.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from ulid import ULID

from models.errors import TransportError

_BYTES: Final = 26 + 1 + 20 + 1


class Numbering:
    """Counts events. ``path`` of None counts in memory only, from 1."""

    def __init__(self, path: Path | None) -> None:
        """Raises TransportError when another daemon counts there, or the file can't be had."""
        self.id = str(ULID())
        self.last = 0
        self._descriptor = -1
        if path is None:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise TransportError(
                f"{path}: another intentd keeps its journal here; set journal.path for one of them",
                code="journal-in-use",
            ) from error
        except OSError as error:
            self.close()
            raise TransportError(
                f"{path}: the journal can't be kept here: {error.strerror}; set journal.path",
                code="journal-failed",
            ) from error
        self._read()

    def _read(self) -> None:
        text = os.pread(self._descriptor, _BYTES, 0).decode("ascii", "replace").split()
        if len(text) == 2 and len(text[0]) == 26 and text[1].isdigit():
            self.id, self.last = text[0], int(text[1])
        self._write()

    def continue_from(self, seq: int) -> None:
        """The journal holds events up to ``seq``."""
        self.last = max(self.last, seq)

    def next(self) -> int:
        """The next number."""
        self.last += 1
        return self.last

    def save(self) -> None:
        """Numbers so far are in use from now on."""
        if self._descriptor >= 0:
            self._write()

    def _write(self) -> None:
        try:
            os.pwrite(self._descriptor, f"{self.id} {self.last:020d}\n".encode(), 0)
        except OSError:
            self.close()  # counting goes on in memory

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
