"""Keeps C libraries from writing to standard error.

While a device is gone, each attempt to open it would leave a handful of lines there, for
months, between log lines that are meant for machines; and a damaged model leaves Kaldi's own
words beside the one line that tells a user what to do.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)

_NATIVE = (
    b"Expression ",
    b"ALSA lib ",
    b"Cannot connect to server",
    b"jack server is not",
    b"ERROR (VoskAPI",
    b"WARNING (VoskAPI",
    b"LOG (VoskAPI",
    b"ASSERTION_FAILED (VoskAPI",
)
"""How the lines of PortAudio, ALSA, JACK and Kaldi begin."""

_turn = threading.Lock()

_STANDARD_ERROR = 2


@contextmanager
def held_back() -> Iterator[None]:
    """What the libraries write meanwhile goes to the log's debug level.

    Lines that other threads write come out at the end. One thread at a time is inside. Does
    nothing where the system has no files in memory (only Linux has both these and such lines).
    """
    if not hasattr(os, "memfd_create"):
        yield
        return
    with _turn:
        yield from _hold_back()


def _hold_back() -> Iterator[None]:
    try:
        original = os.dup(_STANDARD_ERROR)
    except OSError:  # a service may run without a standard error
        yield
        return
    with open(os.memfd_create("native-messages"), "w+b") as held:
        os.dup2(held.fileno(), _STANDARD_ERROR)
        try:
            yield
        finally:
            os.dup2(original, _STANDARD_ERROR)
            os.close(original)
            held.seek(0)
            _sort_out(held.read())


def _sort_out(written: bytes) -> None:
    lines = written.splitlines(keepends=True)
    for line in lines:
        if line.startswith(_NATIVE):
            _log.debug("%s", line.decode(errors="replace").strip())
    others = b"".join(line for line in lines if line.strip() and not line.startswith(_NATIVE))
    if others:
        os.write(_STANDARD_ERROR, others)
