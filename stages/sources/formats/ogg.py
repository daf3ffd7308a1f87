"""The pages of an Ogg stream (RFC 3533) with Vorbis or Opus in it."""

from __future__ import annotations

import struct
from typing import BinaryIO

from stages.sources.formats.error import COPY, FormatError

MAGIC = (b"OggS",)

OPUS_RATE = 48_000
"""Opus counts in this rate whatever it was recorded in (RFC 7845)."""

_HEADER = struct.Struct("<4sBBqIIIB")
_FIRST, _LAST = 2, 4
_NO_GRANULE = -1


def check(file: BinaryIO, size: int) -> float:
    """Walk the pages of a file of ``size`` bytes.

    Gives the least number of frames that must come out of the decoder, counted at 48 kHz for
    Opus and in its own rate for Vorbis. Raises FormatError for a page that is cut or where none
    should be, and for a stream without its last page.
    """
    file.seek(0)
    offset, flags = 0, 0
    frames, begin, end = 0, _NO_GRANULE, 0
    while offset < size:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise FormatError(f"is truncated in a page header at byte {offset:,}", COPY)
        magic, _, flags, granule, _, _, _, segments = _HEADER.unpack(header)
        if magic != b"OggS":
            raise FormatError(f"is damaged at byte {offset:,}: no Ogg page starts there", COPY)
        if flags & _FIRST:
            frames, begin, end = frames + max(end - max(begin, 0), 0), _NO_GRANULE, 0
        lacing = file.read(segments)
        offset += _HEADER.size + segments + sum(lacing)
        if len(lacing) < segments or offset > size:
            raise FormatError("is truncated in its last page", COPY)
        if granule > 0:
            begin = granule if begin == _NO_GRANULE else begin
            end = granule
        file.seek(offset)
    if not flags & _LAST:
        raise FormatError("is truncated: its last page is missing", COPY)
    return frames + max(end - max(begin, 0), 0)
