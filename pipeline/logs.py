"""Logging: a readable line on a terminal, fields in systemd's journal, JSON elsewhere."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from pipeline.configuration import LogSection
from pipeline.service.journal import JournalHandler, is_journal


def configure_logging(section: LogSection) -> None:
    """Send the records of this process to standard error, or straight to the journal behind it."""
    as_text = section.format == "text" or (section.format == "auto" and sys.stderr.isatty())
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
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
