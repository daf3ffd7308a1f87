"""Cutting live audio into blocks that know where they belong."""

from __future__ import annotations

from stages.messages import SAMPLE_RATE, AudioBlock, EndOfStream
from stages.sources.base import BLOCK_BYTES


class BlockCutter:
    """Cuts the int16 mono audio of one stream into blocks of 100 ms."""

    def __init__(self, source: str, stream: str) -> None:
        self.source = source
        self.stream = stream
        self._position = 0
        self._lost = 0
        self._pending = bytearray()
        self._captured = 0.0

    def add(self, pcm: bytes, end: float) -> list[AudioBlock]:
        """Blocks that are full now; ``end`` is when the last sample was heard (epoch seconds)."""
        self._pending += pcm
        self._captured = end - len(self._pending) / 2 / SAMPLE_RATE
        blocks = []
        while len(self._pending) >= BLOCK_BYTES:
            blocks.append(self._cut(BLOCK_BYTES))
        return blocks

    def skip(self, samples: int) -> list[AudioBlock]:
        """Leave out ``samples`` that were lost: what is there before them becomes a block."""
        blocks = self._rest()
        self._position += samples
        self._lost += samples
        return blocks

    def finish(self) -> list[AudioBlock | EndOfStream]:
        """The rest, and the end of the stream."""
        blocks: list[AudioBlock | EndOfStream] = [*self._rest()]
        end = EndOfStream(source=self.source, stream=self.stream, position=self._position)
        return [*blocks, end]

    def _rest(self) -> list[AudioBlock]:
        return [self._cut(len(self._pending))] if self._pending else []

    def _cut(self, size: int) -> AudioBlock:
        block = AudioBlock(
            source=self.source,
            stream=self.stream,
            position=self._position,
            captured=self._captured,
            pcm=bytes(self._pending[:size]),
            lost=self._lost,
        )
        del self._pending[:size]
        self._lost = 0
        self._position += size // 2
        self._captured += size / 2 / SAMPLE_RATE
        return block
