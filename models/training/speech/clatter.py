"""Noise of a kitchen, generated: dishes that strike each other above running water or a hum.

A struck plate or glass is a sum of damped sinusoids with a short burst of noise at the stroke
(modal synthesis: van den Doel and Pai 1998). Free recordings of it are few, and a network that
knows two of them learns these two.
"""

from __future__ import annotations

import numpy as np

from models.training.speech.audio import RATE, Samples

STROKES = (0.5, 5.0)
"""Strokes a second."""

MODES = (400.0, 7500.0)
"""Frequencies of the sinusoids, Hz."""

DECAY = (0.01, 0.15)
"""Seconds in which a sinusoid falls to 1/e."""


def clatter(seconds: float, rng: np.random.Generator) -> Samples:
    """So many seconds of noise, with peaks of full scale."""
    length = int(seconds * RATE)
    noise = _background(length, rng) * 10 ** (rng.uniform(-40, -12) / 20)
    for _ in range(rng.poisson(seconds * rng.uniform(*STROKES))):
        stroke = _stroke(rng)
        start = int(rng.integers(length))
        end = min(length, start + len(stroke))
        noise[start:end] += stroke[: end - start] * rng.lognormal(-2.0, 1.0)
    return np.asarray(noise / max(float(np.abs(noise).max()), 1e-6), np.float32)


def _stroke(rng: np.random.Generator) -> Samples:
    modes = int(rng.integers(3, 9))
    frequency, decay = (
        (low * (high / low) ** rng.random(modes))[:, None] for low, high in (MODES, DECAY)
    )
    time = np.arange(int(5 * decay.max() * RATE))[None] / RATE
    phase = rng.uniform(0, 2 * np.pi, size=(modes, 1))
    sound = np.sum(np.exp(-time / decay) * np.sin(2 * np.pi * frequency * time + phase), axis=0)
    burst = rng.standard_normal(sound.shape[0]) * np.exp(-time[0] / rng.uniform(0.002, 0.01))
    return np.asarray(sound + rng.uniform(0, 3) * burst, np.float32)


def _background(length: int, rng: np.random.Generator) -> Samples:
    """Coloured noise that comes and goes slowly, deviation 1."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequency = np.fft.rfftfreq(length, 1 / RATE)
    spectrum /= np.maximum(frequency, 50.0) ** rng.uniform(0.0, 1.0)
    noise = np.fft.irfft(spectrum, length)
    waver = 1 + rng.uniform(0, 0.8) * np.sin(
        2 * np.pi * rng.uniform(0.05, 1.0) * np.arange(length) / RATE + rng.uniform(0, 6.3)
    )
    return np.asarray(waver * noise / noise.std(), np.float32)
