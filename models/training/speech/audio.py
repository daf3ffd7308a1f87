"""Recordings as samples, or the reason why one can't be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE = 16_000

SECONDS = (0.2, 30.0)
"""Shortest and longest recording to learn from: longer ones cost memory in every batch."""

Samples = NDArray[np.float32]
"""Mono samples [time] at 16 kHz, full scale ±1."""


class AudioError(ValueError):
    """A recording that can't be used; the message names the reason, then the detail."""


def read_speech(path: Path) -> Samples:
    """A recording of speech.

    Raises AudioError if it is damaged, not mono 16 kHz, too short or too long, or silent: other
    rates mean that somebody else's resampling would be learnt along.
    """
    samples, rate = _read(path)
    if rate != RATE or samples.ndim != 1:
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        raise AudioError(f"wrong format: {rate} Hz, {channels} channel(s); must be {RATE} Hz mono")
    seconds = len(samples) / RATE
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise AudioError(f"wrong length: {seconds:.1f} s; must be {SECONDS[0]} to {SECONDS[1]} s")
    if not np.isfinite(samples).all() or not np.abs(samples).max() > 1e-4:
        raise AudioError("silent recording")
    return samples


def read_noise(path: Path) -> Samples:
    """A recording of noise, of any rate and number of channels; raises AudioError."""
    samples, rate = _read(path)
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    if len(samples) < RATE // 2 or not np.isfinite(samples).all() or not samples.any():
        raise AudioError("silent or very short recording")
    return samples


def _read(path: Path) -> tuple[Samples, int]:
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        detail = str(error).strip().rstrip(".").splitlines() or ["unreadable"]
        raise AudioError(f"damaged recording: {detail[-1]}") from None
    return samples, int(rate)
