"""FLAC's first block, STREAMINFO (RFC 9639)."""

from __future__ import annotations

from typing import BinaryIO

from stages.sources.formats.error import COPY, FormatError

MAGIC = (b"fLaC",)


def check(file: BinaryIO, size: int) -> int:
    """Frames of audio by the header, 0 for one that was written to a pipe.

    Whether they are there, only the decoder can tell. Raises FormatError for a header that is
    cut.
    """
    file.seek(0)
    header = file.read(42)
    if len(header) < 42 or size == 42:
        raise FormatError("is truncated: it ends before its audio data", COPY)
    return int.from_bytes(header[18:26], "big") & 0xF_FFFF_FFFF
