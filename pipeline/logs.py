"""Logging: a readable line on a terminal, fields in systemd's journal, JSON elsewhere."""

from __future__ import annotations

import contextlib
import logging
import select
import sys
from typing import IO

from pythonjsonlogger.json import JsonFormatter

from pipeline.configuration import LogSection
from pipeline.service.journal import JournalHandler, is_journal

WARNING = {"levelno": logging.WARNING, "levelname": "WARNING"}


class PatientHandler(logging.StreamHandler[IO[str]]):
    """Leaves out what finds no room: a pipe that nobody reads must not stop the voice."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(stream)
        self._is_file = False
        self._poll = select.poll()
        with contextlib.suppress(OSError):  # no file at all takes everything
            self._poll.register(stream.fileno(), select.POLLOUT)
            self._is_file = True
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, if standard error takes it at once."""
        if self._is_file and not self._poll.poll(0):
            self._left_out += 1
            return
        count, self._left_out = self._left_out, 0
        if count:
            text = f"{count} records had no room, because nobody read them"
            super().emit(logging.makeLogRecord({"name": "intentd", "msg": text, **WARNING}))
        super().emit(record)


def configure_logging(section: LogSection) -> None:
    """Send the records of this process to standard error, or straight to the journal behind it."""
    as_text = section.format == "text" or (section.format == "auto" and sys.stderr.isatty())
    handler: logging.Handler = PatientHandler(sys.stderr)
    if section.format == "auto" and is_journal():
        handler = JournalHandler()
    elif as_text:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        )
    else:
        handler.setFormatter(
            JsonFormatter(
                ["asctime", "levelname", "name", "message"],
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(section.level.upper())


def set_level(level: str) -> None:
    """From now on."""
    logging.getLogger().setLevel(level.upper())
