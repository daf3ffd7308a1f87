"""A cheap gate before the neural voice detector: a steadily quiet room needs no network.

Two levels of each window are compared with floors that follow the quietest windows of the last
seconds (minimum statistics, after R. Martin, "Noise power spectral density estimation based on
optimal smoothing and minimum statistics", 2001). The gate only ever closes on windows near both
floors; speech 6 dB above the noise opens it at its first syllable, and what was skipped right
before is shown to the network when it opens.

One level is that of the whole signal, less what is slower than 4 ms (rumble, an offset of the
microphone): vowels rise above white noise in it. The other is that of the differences between
samples, which turns the pink rush of a fan into a nearly white one: it hardly wavers from window
to window, so that a small margin is enough and consonants rise above it.
"""

from __future__ import annotations

from math import log10
from typing import Final

import numpy as np

MARGIN_DB: Final = 5.0
"""A window whose level is so far above its floor opens the gate. Lower costs processor time on
unsteady noise, higher could miss the start of soft speech."""

DIFFERENCES_MARGIN_DB: Final = 3.0
"""The same for the level of the differences, which wavers less."""

SILENCE_DB: Final = -75.0
"""Full-scale level below which nothing is ever speech."""

HOLD_WINDOWS: Final = 16
"""Windows that the gate stays open after the last loud one: half a second."""

MEMORY_WINDOWS: Final = 62
"""Length of one of the two stretches whose minimum is the floor: two seconds."""

_FRAME: Final = 64
"""Samples (4 ms) whose mean is taken away."""

_ROOT_MEAN: Final = np.full(_FRAME, _FRAME**-0.5, np.float32)
"""A frame's product with it, squared, is the energy of the frame's mean."""


class EnergyGate:
    """Decides for each window of a stream whether the network has to look at it."""

    def __init__(self) -> None:
        self._floor = _Floor(MARGIN_DB)
        self._differences_floor = _Floor(DIFFERENCES_MARGIN_DB)
        self._hold = HOLD_WINDOWS

    @property
    def state(self) -> list[float]:
        """All that it has learnt of the room."""
        return [*self._floor.state, *self._differences_floor.state, float(self._hold)]

    @state.setter
    def state(self, state: list[float]) -> None:
        self._floor.state = state[:3]
        self._differences_floor.state = state[3:6]
        self._hold = int(state[6])

    def open_for(self, level: float, differences: float) -> bool:
        """True when a window with these levels, in dBFS, must be looked at."""
        above = self._floor.is_below(level)
        if self._differences_floor.is_below(differences) or above:
            self._hold = HOLD_WINDOWS
        elif self._hold:
            self._hold -= 1
        return self._hold > 0


class _Floor:
    """The lowest level of the last seconds."""

    def __init__(self, margin: float) -> None:
        self._margin = margin
        self._previous_minimum = float("inf")
        self._minimum = float("inf")
        self._seen = 0

    @property
    def state(self) -> list[float]:
        return [self._previous_minimum, self._minimum, float(self._seen)]

    @state.setter
    def state(self, state: list[float]) -> None:
        self._previous_minimum, self._minimum = state[0], state[1]
        self._seen = int(state[2])

    def is_below(self, level: float) -> bool:
        """Learn ``level``; True when the floor is clearly below it, or not known yet."""
        self._minimum = min(self._minimum, level)
        self._seen += 1
        if self._seen == MEMORY_WINDOWS:
            self._previous_minimum, self._minimum = self._minimum, float("inf")
            self._seen = 0
        if level <= SILENCE_DB:
            return False
        if self._previous_minimum == float("inf"):
            return True
        return level > min(self._previous_minimum, self._minimum) + self._margin


def levels(pcm: bytes, window_samples: int) -> list[tuple[float, float]]:
    """Levels of each whole window of ``pcm`` (int16) in dB relative to full scale.

    One pair for each window: of the signal and of its differences; digital silence is about -90.
    ``window_samples`` is a multiple of 64.
    """
    # Few and plain calls: between two blocks the caches go cold, and einsum takes twice the time.
    whole = len(pcm) // (2 * window_samples) * window_samples
    samples = np.frombuffer(pcm, "<i2", whole).astype(np.float32)
    offsets = samples.reshape(-1, _FRAME).dot(_ROOT_MEAN)
    differences = samples[1:] - samples[:-1]
    found = []
    for at in range(0, whole, window_samples):
        window = samples[at : at + window_samples]
        slow = offsets[at // _FRAME : (at + window_samples) // _FRAME]
        steps = differences[at : at + window_samples - 1]
        power = max(0.0, float(window.dot(window)) - float(slow.dot(slow)))
        found.append(
            (_decibels(power / window_samples), _decibels(float(steps.dot(steps)) / window_samples))
        )
    return found


def _decibels(power: float) -> float:
    return 10 * log10(power / 32768.0**2 + 1e-9)
