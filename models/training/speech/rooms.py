"""Simulated rooms: impulse responses by the image-source method.

J. Allen, D. Berkley: Image method for efficiently simulating small-room acoustics, 1979. Walls of
one absorption, delays rounded to samples: coarse beside a measurement, and cheap enough to make
hundreds. The late tail, where images are too many to count, is noise with an exponential decay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.speech.audio import RATE, Samples

SOUND = 343.0
"""Metres a second."""

ORDER = 6
"""Images to each side of the room in every direction: 13³ of them."""

SIZES = ((2.5, 8.0), (2.5, 6.0), (2.3, 3.2))
"""Least and greatest length, width and height of a room, metres."""

REVERBERATION = (0.1, 0.6)
"""Seconds until the sound has fallen by 60 dB: furnished living rooms and kitchens."""

DISTANCE = (0.3, 3.5)
"""Metres from the mouth to the microphone."""


def simulate_room(rng: np.random.Generator) -> Samples:
    """Impulse response [time] of a random room; it begins with its loudest sound, of
    gain 1."""
    size = np.array([rng.uniform(*limits) for limits in SIZES])
    seconds = rng.uniform(*REVERBERATION)
    source, microphone = _places(size, rng)
    # Sabine's formula gives the absorption of the walls for this time of reverberation.
    surface = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    absorption = min(0.99, 0.161 * float(np.prod(size)) / (surface * seconds))
    delays, gains = _images(size, source, microphone, np.sqrt(1 - absorption))
    length = int(seconds * RATE)
    response = np.zeros(length)
    inside = delays < length
    np.add.at(response, delays[inside], gains[inside])
    response += _tail(response, seconds, rng)
    start = int(np.argmax(np.abs(response)))
    direct = response[start]
    return np.asarray(response[start:] / direct, np.float32)


def _places(
    size: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two points of the room, half a metre from its walls, at a distance of DISTANCE if it fits."""
    for _ in range(50):
        first, second = (rng.uniform(0.5, size - 0.5) for _ in range(2))
        if DISTANCE[0] <= np.linalg.norm(first - second) <= DISTANCE[1]:
            break
    return first, second


def _images(
    size: NDArray[np.float64],
    source: NDArray[np.float64],
    microphone: NDArray[np.float64],
    reflection: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Delay in samples and gain of every mirrored source."""
    numbers = np.arange(-ORDER, ORDER + 1)
    offsets, bounces = [], []
    for axis in range(3):
        mirrored = numbers * size[axis] + np.where(
            numbers % 2 == 0, source[axis], size[axis] - source[axis]
        )
        offsets.append(mirrored - microphone[axis])
        bounces.append(np.abs(numbers))
    x, y, z = np.meshgrid(*offsets, indexing="ij")
    count = sum(np.meshgrid(*bounces, indexing="ij"))
    distance = np.maximum(np.sqrt(x**2 + y**2 + z**2), 0.1)
    # Odd reflections in turn keep the images from adding up to a rumble.
    gains = (-reflection) ** count / distance
    return np.rint(distance / SOUND * RATE).astype(np.int64).ravel(), gains.ravel()


def _tail(
    early: NDArray[np.float64], seconds: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Decaying noise that takes over where the images thin out."""
    time = np.arange(len(early)) / RATE
    begin = min(len(early) // 3, int(0.05 * RATE))
    window = early[begin // 2 : begin]
    level = float(np.sqrt(np.mean(window**2))) if len(window) else 0.0
    noise = rng.standard_normal(len(early)) * np.exp(-6.9 * (time - begin / RATE) / seconds)
    noise[:begin] = 0.0
    return np.asarray(0.5 * level * noise)
