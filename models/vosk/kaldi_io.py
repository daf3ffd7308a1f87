"""Kaldi's binary objects: tokens, numbers, vectors and matrices, written and read back.

Format (Kaldi, ``base/io-funcs`` and ``matrix/*``; little endian): a file begins with ``\\0B``. A
token is its text and a space. An integer or float is the number of its bytes in one byte, then
the number; a bool is ``T`` or ``F``. A vector of integers is ``\\4``, the count as 4 bytes without
a size of its own, and the numbers. A vector of floats is the token ``FV``, the count as integer,
and the numbers; a matrix is ``FM``, rows, columns, and the numbers row by row.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

HEADER = b"\0B"

Floats = NDArray[np.float32]

COMPRESSED: dict[str, np.dtype[Any]] = {"CM2": np.dtype("<u2"), "CM3": np.dtype("u1")}
"""Kinds of compressed matrices (see ``models.vosk.compression``) and their numbers."""


class KaldiWriter:
    """Collects the bytes of a file."""

    def __init__(self) -> None:
        self._data = bytearray(HEADER)

    def finish(self) -> bytes:
        """All that was written."""
        return bytes(self._data)

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._data += data

    def token(self, *names: str) -> None:
        """Tokens: ``<Nnet3>``."""
        for name in names:
            self._data += name.encode() + b" "

    def integer(self, value: int) -> None:
        """A 32-bit integer."""
        self._data += struct.pack("<bi", 4, value)

    def single(self, value: float) -> None:
        """A 32-bit float."""
        self._data += struct.pack("<bf", 4, value)

    def double(self, value: float) -> None:
        """A 64-bit float."""
        self._data += struct.pack("<bd", 8, value)

    def integers(self, values: Sequence[int]) -> None:
        """A vector of 32-bit integers."""
        self._data += struct.pack(f"<bi{len(values)}i", 4, len(values), *values)

    def vector(self, values: ArrayLike) -> None:
        """A vector of 32-bit floats."""
        array = np.ascontiguousarray(values, "<f4")
        self.token("FV")
        self.integer(len(array))
        self._data += array.tobytes()

    def matrix(self, values: ArrayLike) -> None:
        """A matrix of 32-bit floats."""
        array = np.ascontiguousarray(values, "<f4")
        self.token("FM")
        self.integer(array.shape[0])
        self.integer(array.shape[1])
        self._data += array.tobytes()


class KaldiReader:
    """Reads what KaldiWriter writes; raises ValueError where something else stands."""

    def __init__(self, data: bytes, position: int = len(HEADER)) -> None:
        if not data.startswith(HEADER):
            raise ValueError("it is not a binary Kaldi file")
        self._data = data
        self.position = position

    def _unpack(self, layout: str) -> tuple[int | float, ...]:
        try:
            values = struct.unpack_from(layout, self._data, self.position)
        except struct.error:
            raise ValueError(f"it ends at byte {self.position}") from None
        self.position += struct.calcsize(layout)
        return values

    def _sized(self, size: int, letter: str) -> int | float:
        given, value = self._unpack(f"<b{letter}")
        if given != size:
            raise ValueError(f"byte {self.position} has a number of {given} bytes")
        return value

    def text(self, end: bytes) -> str:
        """Text up to ``end``, which is skipped."""
        at = self._data.find(end, self.position)
        if at < 0:
            raise ValueError(f"it ends behind byte {self.position}")
        text = self._data[self.position : at].decode("ascii", "replace")
        self.position = at + len(end)
        return text

    def token(self) -> str:
        """The next token."""
        return self.text(b" ")

    def expect(self, *names: str) -> None:
        """Skip tokens that must stand here."""
        for name in names:
            found = self.token()
            if found != name:
                raise ValueError(f"it has {found[:40]!r} in place of {name}")

    def integer(self) -> int:
        """A 32-bit integer."""
        return int(self._sized(4, "i"))

    def single(self) -> float:
        """A 32-bit float."""
        return float(self._sized(4, "f"))

    def double(self) -> float:
        """A 64-bit float."""
        return float(self._sized(8, "d"))

    def integers(self) -> list[int]:
        """A vector of 32-bit integers."""
        count = self.integer()
        return [int(value) for value in self._unpack(f"<{count}i")]

    def vector(self) -> Floats:
        """A vector of 32-bit floats."""
        self.expect("FV")
        return self._floats(self.integer())

    def matrix(self) -> Floats:
        """A matrix of 32-bit floats, or a compressed one."""
        kind = self.token()
        if kind in COMPRESSED:
            return self._compressed(COMPRESSED[kind])
        if kind != "FM":
            raise ValueError(f"it has {kind[:40]!r} in place of a matrix")
        rows, columns = self.integer(), self.integer()
        return self._floats(rows * columns).reshape(rows, columns)

    def _compressed(self, kind: np.dtype[Any]) -> Floats:
        low, span, rows, columns = self._unpack("<ffii")
        count = int(rows * columns)
        end = self.position + count * kind.itemsize
        if count < 0 or end > len(self._data):
            raise ValueError(f"it ends in the numbers at byte {self.position}")
        numbers = np.frombuffer(self._data[self.position : end], kind).astype(np.float64)
        self.position = end
        values = low + span * numbers / np.iinfo(kind).max
        return values.astype(np.float32).reshape(int(rows), int(columns))

    def _floats(self, count: int) -> Floats:
        end = self.position + 4 * count
        if count < 0 or end > len(self._data):
            raise ValueError(f"it ends in the numbers at byte {self.position}")
        values = np.frombuffer(self._data[self.position : end], "<f4")
        self.position = end
        return values
