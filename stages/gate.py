"""A cheap gate before the neural voice detector: a steadily quiet room needs no network.

The level of each window is compared with a floor that follows the quietest windows of the last
seconds (minimum statistics, after R. Martin, "Noise power spectral density estimation based on
optimal smoothing and minimum statistics", 2001). The gate only ever closes on windows near that
floor; speech 6 dB above the noise opens it at its first syllable, and what was skipped right
before is shown to the network when it opens.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

MARGIN_DB: Final = 3.0
"""A window so far above the floor opens the gate. Lower costs processor time on unsteady noise,
higher could miss the start of soft speech."""

SILENCE_DB: Final = -75.0
"""Full-scale level below which nothing is ever speech."""

HOLD_WINDOWS: Final = 16
"""Windows that the gate stays open after the last loud one: half a second."""

MEMORY_WINDOWS: Final = 62
"""Length of one of the two stretches whose minimum is the floor: two seconds."""


class EnergyGate:
    """Decides for each window of a stream whether the network has to look at it."""

    def __init__(self) -> None:
        self._previous_minimum = float("inf")
        self._minimum = float("inf")
        self._seen = 0
        self._hold = HOLD_WINDOWS

    def open_for(self, level: float) -> bool:
        """True when a window of ``level`` dBFS must be looked at."""
        self._learn(level)
        floor = min(self._previous_minimum, self._minimum)
        learning = self._previous_minimum == float("inf")
        if level > SILENCE_DB and (learning or level > floor + MARGIN_DB):
            self._hold = HOLD_WINDOWS
        elif self._hold:
            self._hold -= 1
        return self._hold > 0

    def _learn(self, level: float) -> None:
        self._minimum = min(self._minimum, level)
        self._seen += 1
        if self._seen == MEMORY_WINDOWS:
            self._previous_minimum, self._minimum = self._minimum, float("inf")
            self._seen = 0


def levels(pcm: bytes, window_samples: int) -> npt.NDArray[np.float32]:
    """Level of each whole window of ``pcm`` (int16) in dB relative to full scale.

    Shape (windows,), float32; digital silence is about -90.
    """
    samples = np.frombuffer(pcm, "<i2")
    count = len(samples) // window_samples
    windows = samples[: count * window_samples].reshape(count, window_samples)
    power = np.einsum("ij,ij->i", windows, windows, dtype=np.float32) / window_samples
    decibels: npt.NDArray[np.float32] = 10 * np.log10(
        power / np.float32(32768.0**2) + np.float32(1e-9)
    )
    return decibels
