"""Store the weights of an acoustic model in 16 or 8 bits; Vosk reads them as they are.

A compressed matrix (Kaldi, ``matrix/compressed-matrix.h``) is the token ``CM2`` (16 bits) or
``CM3`` (8 bits), its smallest value and its range (float32), rows and columns (int32), and the
numbers row by row, 0 for the smallest value and the largest number for the largest. It takes the
place of ``FM``; when a model is loaded, it becomes float32 again, so it saves space on disk alone.
"""

from __future__ import annotations

import struct

import numpy as np

from models.errors import ModelError
from models.vosk.kaldi_io import COMPRESSED, Floats, KaldiReader

SMALLEST = 2000
"""Matrices of fewer numbers stay as they are."""

_MATRIX = b"FM \x04"


def compress_acoustics(model: bytes, bits: int) -> bytes:
    """A ``final.mdl`` with its matrices in 16 or 8 bits. Raises ModelError if it is damaged."""
    parts = []
    done = 0
    try:
        while (at := model.find(_MATRIX, done)) >= 0:
            reader = KaldiReader(model, at)
            matrix = reader.matrix()
            small = matrix.size < SMALLEST or not np.isfinite(matrix).all()
            parts.append(model[done : reader.position] if small else model[done:at])
            if not small:
                parts.append(_compressed(matrix, bits))
            done = reader.position
    except ValueError as error:
        raise ModelError(f"final.mdl can't be compressed: {error}") from None
    return b"".join([*parts, model[done:]])


def _compressed(matrix: Floats, bits: int) -> bytes:
    token, kind = next((t, k) for t, k in COMPRESSED.items() if 8 * k.itemsize == bits)
    values = matrix.astype(np.float64)
    low, largest = float(values.min()), float(np.iinfo(kind).max)
    span = float(values.max()) - low or 1.0
    numbers: bytes = np.rint((values - low) / span * largest).astype(kind).tobytes()
    head = struct.pack("<ffii", low, span, *matrix.shape)
    return token.encode() + b" " + head + numbers
