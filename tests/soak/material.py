"""Sounds that are no speech: silence, noises, a room, and music."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from stages.messages import SAMPLE_RATE

Samples = npt.NDArray[np.int16]
Make = Callable[[int, np.random.Generator], npt.NDArray[np.float64]]


def _coloured(count: int, rng: np.random.Generator, power: float) -> npt.NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20.0)
    return np.fft.irfft(spectrum / frequency**power, count)


def _bursts(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Doors, dishes, steps: short decaying noises, about one in two seconds."""
    sound = np.zeros(count)
    for _ in range(max(1, count // (2 * SAMPLE_RATE))):
        length = int(rng.uniform(0.02, 0.4) * SAMPLE_RATE)
        at = int(rng.integers(0, max(1, count - length)))
        decay = np.exp(-np.arange(length) / (length / 5))
        piece = _coloured(length, rng, rng.uniform(0, 0.8)) * decay
        sound[at : at + length] += (piece / (np.abs(piece).max() + 1e-9))[: count - at]
    return sound


def _babble(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise in the band of speech that swells at the pace of syllables, with no word in it."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    band = np.exp(-(((np.log(np.maximum(frequency, 1)) - np.log(700)) / 0.9) ** 2))
    time = np.arange(count) / SAMPLE_RATE
    swell = 0.3 + 0.7 * np.abs(np.sin(2 * np.pi * 2.1 * time + 2 * np.sin(2 * np.pi * 0.17 * time)))
    return np.fft.irfft(spectrum * band, count) * swell


def _music(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A melody over chords, plucked, with harmonics, at 100 beats a minute."""
    beat = int(0.6 * SAMPLE_RATE)
    sound = np.zeros(count + 4 * beat)
    scale = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    for start in range(0, count, beat):
        root = int(rng.integers(0, 5))
        chord = [scale[root] / 2, scale[(root + 2) % 8] / 2, scale[(root + 4) % 8]]
        melody = [float(rng.choice(scale)) * 2]
        for pitch in chord + melody:
            length = int(rng.uniform(1, 3) * beat)
            time = np.arange(length) / SAMPLE_RATE
            tone = sum(np.sin(2 * np.pi * n * pitch * time) / n**1.6 for n in range(1, 7))
            sound[start : start + length] += tone * np.exp(-2.5 * time)
    return sound[:count]


MAKERS: dict[str, tuple[Make, float]] = {
    "silence": (lambda count, _rng: np.zeros(count), -90.0),
    "hiss": (lambda count, rng: rng.standard_normal(count), -35.0),
    "room": (lambda count, rng: _coloured(count, rng, 0.5), -50.0),
    "rumble": (lambda count, rng: _coloured(count, rng, 1.0), -30.0),
    "bursts": (_bursts, -30.0),
    "babble": (_babble, -28.0),
    "music": (_music, -25.0),
}
"""How to make each sound, and its level in dB of full scale (RMS)."""


def make(kind: str, seconds: float, seed: int = 1) -> Samples:
    """So many seconds of a kind of sound; the same for a seed."""
    maker, level = MAKERS[kind]
    sound = maker(round(seconds * SAMPLE_RATE), np.random.default_rng(seed))
    rms = float(np.sqrt(np.mean(sound**2)))
    scaled = 32768 * 10 ** (level / 20) * sound / rms if rms else sound
    samples: Samples = np.clip(np.round(scaled), -32768, 32767).astype(np.int16)
    return samples
