"""An open microphone and the stream of blocks that is made of it."""

from __future__ import annotations

import math
import queue
import threading
from typing import Protocol

import numpy as np

from stages.messages import SAMPLE_RATE, AudioBlock, EndOfStream
from stages.sources.blocks import BlockCutter
from stages.sources.conversion import Converter, frames_of
from stages.sources.portaudio import CapturedBlock


class Capture(Protocol):
    """An open device: ``stages.sources.portaudio.PortAudioCapture``, or a test's."""

    rate: int
    channels: int
    blocks: queue.Queue[CapturedBlock | None]
    ended: threading.Event

    def close(self) -> None: ...


class Connection:
    """An open device and the stream that is made of it."""

    def __init__(self, capture: Capture, source: str, stream: str, longest_gap: float) -> None:
        self.capture = capture
        self._lost = 0
        self._converter = Converter(capture.rate)
        self._cutter = BlockCutter(source, stream)
        self._expected: float | None = None
        self._longest_gap = longest_gap

    def wait(self, timeout: float) -> list[CapturedBlock]:
        """All that was captured, as soon as there is something."""
        blocks = []
        try:
            blocks.append(self.capture.blocks.get(timeout=max(timeout, 0.0)))
            while True:
                blocks.append(self.capture.blocks.get_nowait())
        except queue.Empty:
            return [block for block in blocks if block is not None]

    def take(self, block: CapturedBlock) -> list[AudioBlock]:
        """The blocks that are full with this."""
        end = block.captured + len(block.pcm) / (2 * self.capture.channels * self.capture.rate)
        lost = self._lost_before(block)
        self._lost += lost
        self._expected = end
        before = self._cutter.skip(lost) if lost else []
        pcm = self._convert(block.pcm)
        return before + self._cutter.add(pcm, end - self._converter.delay)

    def _convert(self, pcm: bytes) -> bytes:
        if self.capture.channels == 1 and self.capture.rate == SAMPLE_RATE:
            return pcm  # the way through floats would give the same samples
        return self._converter.convert(frames_of(pcm, self.capture.channels))

    def take_losses(self) -> int:
        """Samples that were lost since this was last asked."""
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> list[AudioBlock | EndOfStream]:
        """Close the device; the rest of its audio and the end of the stream."""
        self.capture.close()
        blocks = [full for block in self.wait(0.0) for full in self.take(block)]
        rest = self._converter.convert(np.zeros((0, 1), np.float32), last=True)
        blocks += self._cutter.add(rest, self._expected or 0.0)
        return [*blocks, *self._cutter.finish()]

    def _lost_before(self, block: CapturedBlock) -> int:
        seconds = block.dropped / self.capture.rate
        if block.overflow and self._expected is not None:
            # How much the system lost it doesn't say; the clock tells about.
            gap = min(block.captured - self._expected, self._longest_gap)
            seconds = max(gap, seconds, 1 / SAMPLE_RATE)
        return math.ceil(seconds * SAMPLE_RATE)
