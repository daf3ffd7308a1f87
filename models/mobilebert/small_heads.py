"""Small heads over a base: a few matrices in ``heads.npz``, applied by numpy.

A head over whole texts sees, one behind the other, the state of [CLS], the mean of all states
and the sentence vector; a head over words sees the state of the word's first piece and, with a
window, those of the words beside it (zeros beyond the ends). Layers are linear with a rectifier
between them. The arrays of a head are named ``output/0/weight`` [in, out], ``output/0/bias``
[out], ``output/1/weight`` and so on.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from models.mobilebert.tokens import Encoding

HEADS_FILE = "heads.npz"

Array = npt.NDArray[np.float32]
Layer = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class SmallHead:
    """Linear layers with a rectifier between them."""

    layers: tuple[Layer, ...]
    """Weight [in, out] and bias [out] of each."""

    @property
    def inputs(self) -> int:
        """Length of the vectors that it takes."""
        return int(self.layers[0][0].shape[0])

    @property
    def outputs(self) -> int:
        """Length of the vectors that it makes."""
        return int(self.layers[-1][0].shape[1])

    def __call__(self, features: Array) -> Array:
        """Logits [..., outputs] from features [..., inputs]."""
        for index, (weight, bias) in enumerate(self.layers):
            if index:
                features = np.maximum(features, 0.0)
            features = features @ weight + bias
        return features


def text_features(states: Array, embedding: Array) -> Array:
    """What a head over whole texts sees [2 * size + vector] of states [tokens, size]."""
    return np.concatenate([states[0], states.mean(axis=0), embedding]).astype(np.float32)


def word_features(states: Array, encoding: Encoding, window: int = 0) -> Array:
    """What a head over words sees [words, (2 * window + 1) * size] of states [tokens, size]."""
    own = states[encoding.pieces]
    if not window:
        return own
    count, size = own.shape
    padded = np.zeros((count + 2 * window, size), np.float32)
    padded[window : window + count] = own
    return np.concatenate([padded[at : at + count] for at in range(2 * window + 1)], axis=1)


def write_heads(folder: Path, heads: Mapping[str, Sequence[Layer]]) -> None:
    """Write ``heads.npz``: layers by the name of the output."""
    arrays = {}
    for output, layers in heads.items():
        for index, (weight, bias) in enumerate(layers):
            arrays[f"{output}/{index}/weight"] = np.asarray(weight, np.float32)
            arrays[f"{output}/{index}/bias"] = np.asarray(bias, np.float32)
    np.savez_compressed(folder / HEADS_FILE, **arrays)  # type: ignore[arg-type]


def read_heads(folder: Path, outputs: Sequence[str]) -> dict[str, SmallHead]:
    """Read the heads with these output names.

    Raises ModelError, naming the file, where it is missing or damaged, lacks a head, or has
    layers that do not follow one another.
    """
    path = folder / HEADS_FILE
    try:
        content = io.BytesIO(path.read_bytes())  # numpy leaves a damaged file open
        with np.load(content, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name], np.float32) for name in file.files}
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: a model with a base needs its heads") from None
    except (OSError, ValueError, AttributeError, BadZipFile, EOFError, zlib.error) as error:
        raise ModelError(f"{path} is not a file of heads, perhaps cut short: {error}") from None
    return {output: _head(path, output, arrays) for output in outputs}


def _head(path: Path, output: str, arrays: Mapping[str, Array]) -> SmallHead:
    layers: list[Layer] = []
    while f"{output}/{len(layers)}/weight" in arrays:
        weight = arrays[f"{output}/{len(layers)}/weight"]
        bias = arrays.get(f"{output}/{len(layers)}/bias")
        follows = not layers or (weight.ndim == 2 and weight.shape[0] == layers[-1][0].shape[1])
        if weight.ndim != 2 or bias is None or bias.shape != weight.shape[1:] or not follows:
            raise ModelError(
                f'{path}: layer {len(layers)} of "{output}" does not fit: write it anew'
            )
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ModelError(f'{path}: layer {len(layers)} of "{output}" is not finite: train anew')
        layers.append((weight, bias))
    if not layers:
        names = sorted({name.split("/")[0] for name in arrays})
        raise ModelError(f'{path} has no head "{output}", only {", ".join(names) or "none"}')
    return SmallHead(tuple(layers))
