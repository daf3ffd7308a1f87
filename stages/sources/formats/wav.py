"""RIFF/WAVE, its big-endian twin RIFX, and RF64 for more than 4 GB (EBU Tech 3306)."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from stages.sources.formats.error import CONVERT, COPY, FormatError

MAGIC = (b"RIFF", b"RIFX", b"RF64")

UNKNOWN_SIZE = 0xFFFF_FFFF

LARGEST_SIZE = 0x7FFF_0000
"""Writers to a pipe leave the size at 0, at 2^32 - 1, or near 2^31 (sox, arecord)."""


def check(file: BinaryIO, size: int) -> int | None:
    """Walk the chunks of a file of ``size`` bytes.

    Gives the offset of the data chunk's size field if that is 0 although audio follows, as
    programs leave it that write to a pipe; else None. Raises FormatError.
    """
    file.seek(0)
    magic, riff_size, _ = struct.unpack("<4sI4s", file.read(12))
    order = ">" if magic == b"RIFX" else "<"
    if order == ">":
        riff_size = struct.unpack(">I", struct.pack("<I", riff_size))[0]
    long_size: int | None = None
    while len(header := file.read(8)) == 8:
        name, length = struct.unpack(f"{order}4sI", header)
        start = file.tell()
        if name == b"data":
            if length == 0 and riff_size + 8 != size and start < size:
                return start - 4
            _check_data(length if long_size is None else long_size, size - start)
            return None
        if name == b"ds64":
            long_size = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))[1]
        elif name == b"fmt ":
            if length < 16:
                raise FormatError("has a format header of less than 16 bytes", CONVERT)
            _check_format(file.read(16), order)
        file.seek(start + length + length % 2)
    raise FormatError("is truncated: it ends before its audio data", COPY)


def _check_data(claimed: int, present: int) -> None:
    unknown = claimed >= LARGEST_SIZE and claimed <= UNKNOWN_SIZE
    if claimed > present and not unknown:
        raise FormatError(
            f"is truncated: {claimed:,} bytes of audio announced, {present:,} there", COPY
        )


def _check_format(chunk: bytes, order: str) -> None:
    if len(chunk) < 16:
        raise FormatError("is truncated: it ends before its audio data", COPY)
    _, channels, rate = struct.unpack_from(f"{order}HHI", chunk)
    if channels == 0:
        raise FormatError("has a header with 0 channels", CONVERT)
    if rate == 0:
        raise FormatError("has a header with a sample rate of 0", CONVERT)


class OpenEnded(io.RawIOBase):
    """A WAV whose data chunk of size 0 reads as one that goes on to the end of the file."""

    def __init__(self, path: str, size_offset: int) -> None:
        super().__init__()
        # Buffered, since libsndfile asks for the header a few bytes at a time.
        self._file = open(path, "rb")  # noqa: SIM115
        self._patch = range(size_offset, size_offset + 4)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1, /) -> bytes:
        start = self._file.tell()
        data = bytearray(self._file.read(size))
        for offset in self._patch:
            if start <= offset < start + len(data):
                data[offset - start] = 0xFF
        return bytes(data)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
