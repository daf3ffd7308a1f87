"""How loud a microphone is."""

from __future__ import annotations

import math
import queue

import numpy as np

from models.errors import SourceError
from stages.sources.conversion import frames_of
from stages.sources.portaudio import open_capture

PATIENCE_SECONDS = 5.0
"""PulseAudio may take 2-3 s to the first block."""


def measure_level(device: str | None, seconds: float) -> float:
    """Mean level that a microphone delivers, in dB of full scale; -inf for digital silence.

    Raises SourceError if it can't be opened or delivers nothing.
    """
    capture = open_capture(device)
    pieces, heard = [], 0.0
    try:
        while heard < seconds:
            block = capture.blocks.get(timeout=PATIENCE_SECONDS)
            if block is None:
                raise queue.Empty
            pieces.append(frames_of(block.pcm, capture.channels))
            heard += len(pieces[-1]) / capture.rate
    except queue.Empty:
        raise SourceError(
            f"microphone {capture.device.name!r} delivers no audio; check that it is plugged in"
        ) from None
    finally:
        capture.close()
    power = float(np.mean(np.square(np.concatenate(pieces, dtype=np.float64))))
    return 10 * math.log10(power) if power else -math.inf
