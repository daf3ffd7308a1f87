"""Noise suppression by RNNoise (Valin, 2018), and a share of the sound as it was.

RNNoise is a recurrent network that weighs 32 bands of a 48 kHz signal every 10 ms. What it takes
away with the noise a recogniser misses, so some of the unchanged sound is mixed in again:
``docs/noise.md`` says how the share was chosen and what it gives.

The library lies in the wheel of pyrnnoise, and its C interface (``rnnoise.h``) is called as it is:
the package's own Python imports a plotter and FFmpeg, which a daemon has no use for.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from models.errors import ModelError

Floats = npt.NDArray[np.float32]

RATE: Final = 16_000
INNER_RATE: Final = 48_000
FRAME: Final = 480
"""Samples at 48 kHz that RNNoise takes at a time."""

DELAY: Final = 320
"""Samples at 16 kHz by which RNNoise's sound is late: its window of 20 ms."""

STRENGTH: Final = 0.6
"""Share of the suppressed sound that recognises best: see ``docs/noise.md``."""

LIBRARIES: Final = ("librnnoise.so", "librnnoise.dylib", "rnnoise.dll")


class NoiseSuppressor:
    """One stream of speech at 16 kHz with its noise taken away, sample for sample.

    ``strength`` is the share of the suppressed sound, from 0 to 1. Raises ModelError where
    pyrnnoise is not installed.
    """

    def __init__(self, strength: float = STRENGTH) -> None:
        self._strength = strength
        self._library = _load()
        self._dry: Floats
        self._waiting: Floats
        self._begin()

    def process(self, pcm: bytes) -> bytes:
        """16-bit samples that are settled: some tens of milliseconds fewer than were given."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        self._dry = np.concatenate([self._dry, samples])
        return self._settle(self._suppress(samples, last=False))

    def finish(self) -> bytes:
        """The samples that were still to come, then a new stream begins."""
        wet = self._suppress(np.zeros(DELAY + FRAME, np.float32), last=True)
        rest = self._settle(wet)
        self._begin()
        return rest

    def _begin(self) -> None:
        self._dry = np.zeros(0, np.float32)
        self._waiting = np.zeros(0, np.float32)
        self._state = _State(self._library)
        self._up = soxr.ResampleStream(RATE, INNER_RATE, 1, dtype="float32")
        self._down = soxr.ResampleStream(INNER_RATE, RATE, 1, dtype="float32")
        self._late = DELAY

    def _suppress(self, samples: Floats, *, last: bool) -> Floats:
        raised = self._up.resample_chunk(samples, last=last)
        self._waiting = np.concatenate([self._waiting, raised])
        whole = len(self._waiting) // FRAME * FRAME
        frames, self._waiting = self._waiting[:whole].copy(), self._waiting[whole:]
        for start in range(0, whole, FRAME):
            self._state.process(frames[start : start + FRAME])
        wet = self._down.resample_chunk(frames, last=last)
        dropped = min(self._late, len(wet))
        self._late -= dropped
        return np.asarray(wet[dropped:], np.float32)

    def _settle(self, wet: Floats) -> bytes:
        size = min(len(wet), len(self._dry))
        dry, self._dry = self._dry[:size], self._dry[size:]
        mixed = (1 - self._strength) * dry + self._strength * wet[:size]
        return _pcm(mixed)


def suppress(samples: npt.NDArray[np.floating], strength: float = STRENGTH) -> Floats:
    """Mono samples [time] at 16 kHz, full scale ±1, with their noise taken away; 0 changes none."""
    if not strength:
        return np.asarray(samples, np.float32)
    suppressor = NoiseSuppressor(strength)
    pcm = suppressor.process(_pcm(samples * 32_768)) + suppressor.finish()
    return np.asarray(np.frombuffer(pcm, "<i2") / 32_768, np.float32)


def _pcm(samples: npt.NDArray[np.floating]) -> bytes:
    return bytes(np.rint(np.clip(samples, -32_768, 32_767)).astype("<i2").tobytes())


class _State:
    """RNNoise's memory of one stream, freed with it."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._handle: int = library.rnnoise_create(None)

    def process(self, frame: Floats) -> None:
        """Change ``frame``, float32 [480] in units of 16-bit samples, in its place."""
        self._library.rnnoise_process_frame(self._handle, frame.ctypes.data, frame.ctypes.data)

    def __del__(self) -> None:
        self._library.rnnoise_destroy(self._handle)


def is_installed() -> bool:
    """Whether noise can be suppressed here."""
    return _find() is not None


def strength_of(wanted: float | None) -> float:
    """What a configuration asks for; None: ``STRENGTH`` where pyrnnoise is installed, or else 0.

    Raises ModelError where it is asked for and is not installed.
    """
    if wanted is None:
        return STRENGTH if is_installed() else 0.0
    if wanted:
        _load()
    return wanted


def _find() -> Path | None:
    spec = importlib.util.find_spec("pyrnnoise")
    folders = spec.submodule_search_locations if spec else None
    paths = (Path(folder) / name for folder in folders or () for name in LIBRARIES)
    return next((path for path in paths if path.is_file()), None)


@functools.cache
def _load() -> ctypes.CDLL:
    path = _find()
    if path is None:
        raise ModelError(
            'noise suppression needs pyrnnoise: pip install "intentd[noise]", or set '
            "noise_suppression to 0"
        )
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise ModelError(f"{path}: {error}; install pyrnnoise again") from None
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_destroy.restype = None
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library
