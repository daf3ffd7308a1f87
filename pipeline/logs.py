"""Logging: one readable line on a terminal, one JSON object elsewhere, always on stderr."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from pipeline.configuration import LogSection


def configure_logging(section: LogSection) -> None:
    """Send the records of this process to standard error."""
    as_text = section.format == "text" or (section.format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    if as_text:
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
