"""From any sample rate and channel count to what the daemon works with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from stages.messages import SAMPLE_RATE

INT16_SCALE = 32768.0


class Converter:
    """Mixes channels down to their mean and resamples to 16 kHz, piece by piece.

    The pieces together give the same samples as the whole at once.
    """

    def __init__(self, rate: int) -> None:
        self._resampler = (
            None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32")
        )

    def convert(self, frames: npt.NDArray[np.float32], *, last: bool = False) -> bytes:
        """int16 little-endian mono samples for (n, channels) float32 frames in [-1, 1].

        What comes back may lag behind by ``delay`` seconds until the ``last`` piece.
        """
        mono = frames.mean(axis=1, dtype=np.float32)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        scaled = np.rint(mono * INT16_SCALE)
        pcm: bytes = np.clip(scaled, -INT16_SCALE, INT16_SCALE - 1).astype("<i2").tobytes()
        return pcm

    @property
    def delay(self) -> float:
        """Seconds of audio that were put in and have not come out yet."""
        return 0.0 if self._resampler is None else float(self._resampler.delay()) / SAMPLE_RATE


def frames_of(pcm: bytes, channels: int) -> npt.NDArray[np.float32]:
    """(n, channels) float32 frames in [-1, 1) for interleaved int16 samples."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(INT16_SCALE)
    return samples.reshape(-1, channels)
