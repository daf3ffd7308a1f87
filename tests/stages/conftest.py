"""Fixtures of the stages' tests: audio to write, and what sources make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from stages.messages import AudioBlock, StageMessage
from stages.sources.base import Source

Samples = npt.NDArray[np.float32]


class Heard:
    """All that a source gave until it was exhausted."""

    def __init__(self, messages: Sequence[StageMessage]) -> None:
        self.messages = messages
        self.blocks = [message for message in messages if isinstance(message, AudioBlock)]
        self.others = [message for message in messages if not isinstance(message, AudioBlock)]

    @property
    def samples(self) -> Samples:
        """float32 samples in [-1, 1) of all blocks."""
        pcm = b"".join(block.pcm for block in self.blocks)
        return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


@pytest.fixture
def listen() -> Callable[[Source], Heard]:
    """Opens a source and reads it to its end."""

    def read_all(source: Source) -> Heard:
        source.open()
        messages: list[StageMessage] = []
        while (new := source.read(0.1)) is not None:
            messages += new
        return Heard([*messages, *source.close()])

    return read_all


@pytest.fixture
def melody() -> Callable[[int], Samples]:
    """1.25 s of moving tones below 3 kHz at a rate of one's choice, faded in and out."""

    def make(rate: int) -> Samples:
        time = np.arange(round(1.25 * rate)) / rate
        tones = sum(np.sin(2 * np.pi * (f * time + 150 * time**2)) / 4 for f in (300, 1100, 2300))
        return np.asarray(tones * np.sin(np.pi * time / time[-1]) ** 2, np.float32)

    return make


@pytest.fixture
def write_audio(tmp_path: Path) -> Callable[..., Path]:
    """Writes samples into a file; its format is that of the name unless said otherwise."""

    def write(name: str, samples: Any, rate: int = 16_000, **options: Any) -> Path:
        path = tmp_path / name
        soundfile.write(path, samples, rate, **options)
        return path

    return write
