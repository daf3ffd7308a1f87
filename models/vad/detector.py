"""Voice activity detection: the Silero network (v6.2, 16 kHz) on NumPy.

https://github.com/snakers4/silero-vad, MIT. The network is tiny (0.3 M parameters), so calling
a run-time for it costs more than the network itself; see the model card in
``models/weights/silero-vad`` for what was measured. It looks at windows of 512 samples (32 ms)
and keeps a recurrent state, so each stream needs a detector of its own; the weights are shared.

Shape of the network: 64 samples of context and the window, mirrored at the end, through a
short-time Fourier transform as a convolution (129 magnitudes, 4 frames); four convolutions over
time that end in one frame of 128; an LSTM of 128; one output.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from models.errors import ModelError

WINDOW_SAMPLES: Final = 512
"""Samples a window, at 16 kHz."""

WINDOW_BYTES: Final = 2 * WINDOW_SAMPLES

WEIGHTS: Final = Path(__file__).resolve().parents[1] / "weights" / "silero-vad" / "silero.npz"

_CONTEXT: Final = 64
_FRAME: Final = 256
_HOP: Final = 128
_BINS: Final = 129
_HIDDEN: Final = 128
_STRIDES: Final = (1, 2, 2, 1)

Array = npt.NDArray[np.float32]


class SileroNetwork:
    """The weights, laid out for matrix products. Raises ModelError for a damaged file."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                weights = {name: data[name].astype(np.float32) for name in data.files}
            self._stft = np.ascontiguousarray(weights["stft"].T)
            self._convolutions = [
                (_as_matrix(weights[f"conv{n}.weight"]), weights[f"conv{n}.bias"], stride)
                for n, stride in enumerate(_STRIDES)
            ]
            self._input = np.ascontiguousarray(weights["lstm.weight_ih"].T)
            self._recurrent = np.ascontiguousarray(weights["lstm.weight_hh"].T)
            self._bias = weights["lstm.bias_ih"] + weights["lstm.bias_hh"]
            self._output = weights["out.weight"]
            self._output_bias = float(weights["out.bias"])
        except (OSError, EOFError, ValueError, KeyError, BadZipFile, AttributeError) as error:
            raise ModelError(
                f"{path}: the voice detector's weights can't be read; install intentd again"
            ) from error

    def features(self, samples: Array) -> Array:
        """What the recurrent part sees of one window: float32 [576] in [-1, 1] to [128]."""
        padded = np.concatenate([samples, samples[-2 : -_CONTEXT - 2 : -1]])
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
        spectrum = frames @ self._stft
        x: Array = np.sqrt(spectrum[:, :_BINS] ** 2 + spectrum[:, _BINS:] ** 2)
        for matrix, bias, stride in self._convolutions:
            x = _convolve(x, matrix, bias, stride)
        last: Array = x[0]
        return last

    def step(self, features: Array, hidden: Array, cell: Array) -> tuple[float, Array, Array]:
        """One step of the LSTM: probability of speech, and the new hidden and cell state."""
        gates = features @ self._input + hidden @ self._recurrent + self._bias
        sigmoids = _sigmoid(gates)
        remember = sigmoids[_HIDDEN : 2 * _HIDDEN]
        candidate = np.tanh(gates[2 * _HIDDEN : 3 * _HIDDEN])
        cell = remember * cell + sigmoids[:_HIDDEN] * candidate
        hidden = sigmoids[3 * _HIDDEN :] * np.tanh(cell)
        score = float(np.maximum(hidden, 0) @ self._output) + self._output_bias
        return 1.0 / (1.0 + float(np.exp(-score))), hidden, cell


class VoiceActivityDetector:
    """Speech probability of consecutive windows of one stream."""

    def __init__(self, network: SileroNetwork | None = None) -> None:
        self._network = network or shared_network()
        self._context: Array
        self._hidden: Array
        self._cell: Array
        self.reset()

    def probability(self, window: bytes | memoryview) -> float:
        """Probability in [0, 1] that ``window`` (512 int16 samples, 16 kHz) holds speech."""
        samples = np.frombuffer(window, "<i2").astype(np.float32) / np.float32(32768)
        features = self._network.features(np.concatenate([self._context, samples]))
        self._context = samples[-_CONTEXT:]
        probability, self._hidden, self._cell = self._network.step(
            features, self._hidden, self._cell
        )
        return probability

    @property
    def state(self) -> bytes:
        """All that it remembers of the stream: float32 little-endian, [64 + 128 + 128]."""
        joined: Array = np.concatenate([self._context, self._hidden, self._cell])
        return joined.astype("<f4").tobytes()

    @state.setter
    def state(self, state: bytes) -> None:
        """Raises ValueError for what is no state."""
        values = np.frombuffer(state, "<f4").astype(np.float32)
        if len(values) != _CONTEXT + 2 * _HIDDEN:
            raise ValueError(f"a state of {len(values)} values")
        self._context, self._hidden, self._cell = np.split(values, (_CONTEXT, _CONTEXT + _HIDDEN))

    def reset(self) -> None:
        """Forget the stream so far."""
        self._context = np.zeros(_CONTEXT, np.float32)
        self._hidden = np.zeros(_HIDDEN, np.float32)
        self._cell = np.zeros(_HIDDEN, np.float32)


@cache
def shared_network() -> SileroNetwork:
    """The network of this process."""
    return SileroNetwork()


def _as_matrix(weight: Array) -> Array:
    """[out, in, 3] to [3 * in, out], so that a convolution is one product."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, weight.shape[0]))


def _convolve(x: Array, matrix: Array, bias: Array, stride: int) -> Array:
    """Convolution of width 3 with padding 1 and ReLU: [frames, in] to [frames', out]."""
    frames, width = x.shape
    padded = np.zeros((frames + 2, width), np.float32)
    padded[1:-1] = x
    rows = [padded[i : i + 3].reshape(-1) for i in range(0, frames, stride)]
    result: Array = np.maximum(np.stack(rows) @ matrix + bias, np.float32(0))
    return result


def _sigmoid(x: Array) -> Array:
    result: Array = np.float32(1) / (np.float32(1) + np.exp(-x))
    return result
