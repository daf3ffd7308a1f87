"""Speech in noise, the same for every run.

The signal-to-noise ratio is that of Picovoice's speech-to-intent benchmark: between the frames of
2048 samples in which speech and noise each have the most energy. So pauses in a recording don't
count, and figures can be put beside the published ones.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from stages.sources.decoding import decode

FRAME: Final = 2048

Samples = npt.NDArray[np.float64]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How recordings are played: as they are, or in noise."""

    noise: str | None = None
    """Path of the noise; None for clean."""

    snr: float | None = None
    """dB."""

    @property
    def name(self) -> str:
        """``clean``, or noise and ratio: ``kitchen 6 dB``."""
        return "clean" if self.noise is None else f"{Path(self.noise).stem} {self.snr:g} dB"


CLEAN: Final = Condition()


@lru_cache(maxsize=8)
def read_samples(path: str) -> Samples:
    """All of a recording: [samples] at 16 kHz in int16's range. Raises SourceError."""
    return np.frombuffer(b"".join(decode(path)), "<i2").astype(np.float64)


def mix(speech: bytes, condition: Condition, *, name: str, seed: int) -> bytes:
    """``speech`` (int16 samples at 16 kHz) under ``condition``.

    Which part of the noise is taken depends on ``name`` and ``seed`` alone, so it is the same at
    every ratio. What would be clipped makes the whole quieter instead.
    """
    if condition.noise is None or condition.snr is None:
        return speech
    noise = read_samples(condition.noise)
    voice = np.frombuffer(speech, "<i2").astype(np.float64)
    first = _offset(f"{seed}:{Path(condition.noise).name}:{name}", len(noise) - len(voice) + 1)
    part = noise[first : first + len(voice)]
    quiet = loudest_frame(part) or 1.0
    scale = np.sqrt(loudest_frame(voice) / (quiet * 10 ** (condition.snr / 10)))
    mixed = voice + scale * part
    peak = np.abs(mixed).max(initial=0.0)
    if peak > 32_767:
        mixed *= 32_767 / peak
    data: bytes = np.rint(mixed).astype("<i2").tobytes()
    return data


def loudest_frame(samples: Samples) -> float:
    """Energy of the loudest whole frame; of everything where that is shorter than a frame."""
    whole = len(samples) - len(samples) % FRAME
    frames = samples[:whole].reshape(-1, FRAME) if whole else samples.reshape(1, -1)
    return float((frames**2).sum(axis=1).max(initial=0.0))


def _offset(key: str, bound: int) -> int:
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % bound
