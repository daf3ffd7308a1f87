"""Raw PCM from a pipe: 16-bit little-endian mono samples at 16 kHz."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import BinaryIO

from models.errors import SourceError
from stages.sources.base import BLOCK_BYTES

_RAW = "raw PCM (16-bit little-endian, mono, 16 kHz)"

_CONTAINERS = {b"RIFF": "WAV", b"fLaC": "FLAC", b"OggS": "OGG", b"ID3": "MP3"}


class StandardInput:
    """Reads blocks from a pipe without waiting longer than asked."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        """``stream`` stands in for standard input. Raises SourceError if there is none."""
        if stream is None:
            if sys.stdin is None or sys.stdin.closed:
                raise _bad("is closed", f"pipe {_RAW} into it")
            stream = sys.stdin.buffer
        if stream.isatty():
            raise _bad("is a terminal", f"pipe {_RAW} into it, or name a file")
        self._stream = stream
        self._pending = bytearray()
        self._begun = False
        self._ended = False

    def read(self, timeout: float) -> bytes | None:
        """A block of 100 ms, or less at the end; b"" if none came in time, None at the end.

        Raises SourceError for what isn't raw PCM, as far as that can be told.
        """
        if not self._ended and len(self._pending) < BLOCK_BYTES:
            data = self._receive(timeout)
            if data is None:
                return b""
            self._pending += data
            self._ended = not data
        if len(self._pending) < BLOCK_BYTES and not self._ended:
            return b""
        if not self._begun:
            self._check_begin()
        size = min(len(self._pending), BLOCK_BYTES) // 2 * 2
        if size == 0 and self._pending:
            self._pending.clear()
            raise _bad("ended in the middle of a sample", f"pipe {_RAW} into it")
        block = bytes(self._pending[:size])
        del self._pending[:size]
        return block or None

    def close(self) -> None:
        """Nothing to let go of: standard input is not ours to close."""

    def _receive(self, timeout: float) -> bytes | None:
        """What has come, b"" at the end, None if nothing came in time."""
        try:
            handle = self._stream.fileno()
        except (io.UnsupportedOperation, AttributeError):
            return self._stream.read(BLOCK_BYTES)
        try:
            # Regular files are always ready; epoll would refuse them.
            if not select.select([handle], [], [], max(timeout, 0.0))[0]:
                return None
            return os.read(handle, 16 * BLOCK_BYTES)
        except OSError as error:
            raise _bad(f"can't be read ({error.strerror})", "check what is piped in") from None

    def _check_begin(self) -> None:
        self._begun = True
        if not self._pending:
            raise _bad("holds no audio (0 bytes)", f"pipe {_RAW} into it")
        for magic, container in _CONTAINERS.items():
            if self._pending.startswith(magic):
                raise _bad(f"holds {container}, not {_RAW}", "name the file instead of -")


def _bad(what: str, mend: str) -> SourceError:
    return SourceError(f"standard input: {what}; {mend}", code="bad-recording")
