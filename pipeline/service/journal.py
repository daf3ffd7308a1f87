"""Logs to systemd's journal, with fields that ``journalctl`` can be asked for.

``journalctl --user -u intentd INTENTD_CODE=device-lost`` or ``-o json`` instead of searching text.
"""

from __future__ import annotations

import logging
import os
import sys

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}


class JournalHandler(logging.Handler):
    """One journal entry for each record; ``extra={"source": …, "code": …}`` become fields.

    cysystemd's own handler would send every attribute of the record, and a random id.
    """

    def emit(self, record: logging.LogRecord) -> None:
        from cysystemd.journal import send

        try:
            send(**fields(record, self.format(record)))
        except Exception:  # noqa: BLE001 - logging must never end the program
            self.handleError(record)


def fields(record: logging.LogRecord, message: str) -> dict[str, str | int]:
    """The journal's fields for a record."""
    made: dict[str, str | int] = {
        "message": message,
        "priority": PRIORITIES.get(record.levelno, 2),
        "syslog_identifier": "intentd",
        "logger": record.name,
        "code_file": record.pathname,
        "code_line": record.lineno,
        "code_func": record.funcName,
        "intentd_worker": record.name.removeprefix("intentd."),
    }
    for name in ("source", "code", "count"):
        value = getattr(record, name, None)
        if value not in (None, ""):
            made[f"intentd_{name}"] = str(value)
    return made


def is_journal() -> bool:
    """True when standard error goes to the journal, and its library is there."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    if not inode:
        return False
    try:
        status = os.fstat(sys.stderr.fileno())
        import cysystemd.journal  # noqa: F401
    except (OSError, ValueError, ImportError):
        return False
    return (str(status.st_dev), str(status.st_ino)) == (device, inode)
