"""What a source gave and nobody has published yet, in order, bounded in seconds of audio.

Three stretches follow each other: what was sent and is not acknowledged, what is to be sent
again, and what was never sent. After a worker's death all of it is sent again, from the last
acknowledged position; the segmenter's state at that position came with the acknowledgement.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

import msgspec

from stages.messages import SAMPLE_RATE, AudioBlock, EndOfStream, Resume, StageMessage

REPORTS: Final = 100
"""Reports of a source that gives no audio, of which no acknowledgement tells: so many are kept."""


class Ring:
    """Messages of one source.

    ``keep`` seconds are kept for sending them again, ``live`` seconds that were never sent may
    wait, and ``history`` seconds from before the acknowledged position are kept for the segmenter.
    """

    def __init__(self, *, keep: float, live: float, history: float) -> None:
        self._keep = round(keep * SAMPLE_RATE)
        self._live = round(live * SAMPLE_RATE)
        self._history_bytes = 2 * round(history * SAMPLE_RATE)
        self._entries: deque[StageMessage] = deque()
        self._next = 0
        self._fresh = 0
        self._audio = 0
        self._waiting = 0
        self._streams = 0
        self._history = bytearray()
        self._ack: tuple[str, int, bytes] | None = None
        self._resume: Resume | None = None
        self._unprotected = 0
        self.acknowledged = 0
        """Acknowledgements that told something new."""

    @property
    def unsent(self) -> int:
        """Messages that are to be sent."""
        return len(self._entries) - self._next + (self._resume is not None)

    @property
    def pending(self) -> bool:
        """True while something of a stream is not published."""
        return self._streams > 0 or self.unsent > 0

    @property
    def full(self) -> bool:
        """True when a source that can wait must wait for acknowledgements."""
        return self._audio >= self._keep

    def append(self, message: StageMessage) -> None:
        """Keep a message that the source gave."""
        self._entries.append(message)
        if isinstance(message, AudioBlock):
            self._audio += len(message.pcm) // 2
            self._waiting += len(message.pcm) // 2
        if isinstance(message, AudioBlock | EndOfStream):
            self._streams += 1
        elif not self._streams:
            while len(self._entries) > REPORTS and self._next:
                self._pop()

    @property
    def first(self) -> StageMessage:
        """The message that is to be sent next."""
        return self._resume or self._entries[self._next]

    def sent(self) -> None:
        """``first`` was sent."""
        if self._resume is not None:
            self._resume = None
            return
        message = self._entries[self._next]
        self._next += 1
        if self._next > self._fresh:
            self._fresh = self._next
            if isinstance(message, AudioBlock):
                self._waiting -= len(message.pcm) // 2

    def acknowledge(self, stream: str, position: int, checkpoint: bytes, *, final: bool) -> None:
        """All of ``stream`` up to ``position`` is published; ``final``: to its very end."""
        if not self._was_sent(stream, position, final=final):
            return
        if self._ack and self._ack[0] == stream and position <= self._ack[1] and not final:
            return  # of what was sent a second time
        self.acknowledged += 1
        self._unprotected = 0
        if final:
            self._ack = None
            self._history.clear()
            while not _ends(self._entries[0], stream):
                self._pop()
            self._pop()
            return
        if checkpoint:
            self._ack = (stream, position, checkpoint)
        while self._entries:
            entry = self._entries[0]
            if isinstance(entry, AudioBlock) and entry.stream == stream:
                if _end(entry) > position:
                    break
                self._remember(entry)
            elif isinstance(entry, EndOfStream) and entry.stream == stream:
                break
            self._pop()

    def _was_sent(self, stream: str, position: int, *, final: bool) -> bool:
        """False for an acknowledgement of what is to be sent again: it will come again too.

        Taking it would leave out what the stages are about to get, and shift all that follows.
        """
        if self._resume is not None:
            return False
        for entry in islice(self._entries, self._next):
            if isinstance(entry, EndOfStream) and entry.stream == stream:
                return True
            if final or not isinstance(entry, AudioBlock) or entry.stream != stream:
                continue
            if position <= _end(entry):
                return True
        return False

    def rewind(self) -> int:
        """Send everything again; returns how many samples were not kept long enough for that."""
        lost, self._unprotected = self._unprotected, 0
        self._next = 0
        self._resume = None
        if self._ack is not None and not lost:
            self._resume_from(*self._ack)
        return lost

    def _resume_from(self, stream: str, position: int, checkpoint: bytes) -> None:
        for index, entry in enumerate(self._entries):
            if not isinstance(entry, AudioBlock | EndOfStream):
                continue
            if entry.stream != stream:
                return
            before = bytes(self._history)
            if isinstance(entry, AudioBlock) and entry.position < position:
                split = 2 * (position - entry.position)
                before += entry.pcm[:split]
                self._entries[index] = _rest(entry, split)
                self._audio -= split // 2
                self._history = bytearray(before[-self._history_bytes :])
            self._resume = Resume(
                source=entry.source,
                stream=stream,
                file=entry.file,
                position=position,
                checkpoint=checkpoint,
                pcm=before[-self._history_bytes :],
            )
            return

    def skip(self) -> int:
        """Give up what was sent and is not published; returns how many samples that is."""
        before = self._audio
        while self._fresh and not isinstance(self._entries[0], EndOfStream):
            self._pop()
        self._ack = self._resume = None
        self._mark_lost(before - self._audio)
        return before - self._audio

    def shed(self) -> int:
        """Keep within the bounds; returns how many samples nobody will ever hear."""
        lost = 0
        while self._audio - self._waiting > self._keep and self._fresh:
            # Sent before, so not lost yet; but it can't be sent again any more.
            again = self._next == 0
            before = self._audio
            self._pop()
            self._resume = None
            if again:
                lost += before - self._audio
            else:
                self._unprotected += before - self._audio
        while self._waiting > self._live:
            lost += self._drop()
        return lost

    def _pop(self) -> None:
        message = self._entries.popleft()
        fresh = self._fresh == 0
        self._next = max(0, self._next - 1)
        self._fresh = max(0, self._fresh - 1)
        if isinstance(message, AudioBlock):
            self._audio -= len(message.pcm) // 2
            if fresh:
                self._waiting -= len(message.pcm) // 2
        if isinstance(message, AudioBlock | EndOfStream):
            self._streams -= 1

    def _remember(self, block: AudioBlock) -> None:
        if block.lost:
            self._history.clear()
        self._history += block.pcm
        del self._history[: -self._history_bytes]

    def _drop(self) -> int:
        """Drop the oldest block of the quieter half of what was never sent, and mark its gap."""
        import numpy as np

        blocks = [
            (index, entry)
            for index, entry in enumerate(self._entries)
            if index >= self._fresh and isinstance(entry, AudioBlock)
        ]
        levels = [
            float(np.mean(np.frombuffer(m.pcm, "<i2").astype(np.float32) ** 2)) for _, m in blocks
        ]
        middle = sorted(levels)[(len(levels) - 1) // 2]
        index, victim = blocks[next(i for i, level in enumerate(levels) if level <= middle)]
        samples = len(victim.pcm) // 2
        del self._entries[index]
        self._audio -= samples
        self._waiting -= samples
        self._streams -= 1
        self._mark_lost(victim.lost + samples, victim.stream, index)
        return samples

    def _mark_lost(self, samples: int, stream: str | None = None, start: int = 0) -> None:
        """Tell the first block from ``start`` on that so many samples are missing before it."""
        for index in range(start, len(self._entries)):
            entry = self._entries[index]
            if isinstance(entry, AudioBlock) and stream in (None, entry.stream):
                self._entries[index] = msgspec.structs.replace(entry, lost=entry.lost + samples)
                return


def _end(block: AudioBlock) -> int:
    return block.position + len(block.pcm) // 2


def _ends(entry: StageMessage, stream: str) -> bool:
    return isinstance(entry, EndOfStream) and entry.stream == stream


def _rest(block: AudioBlock, split: int) -> AudioBlock:
    """What is left of a block behind its first ``split`` bytes."""
    return msgspec.structs.replace(
        block,
        position=block.position + split // 2,
        captured=block.captured + split / 2 / SAMPLE_RATE,
        pcm=block.pcm[split:],
        lost=0,
    )
