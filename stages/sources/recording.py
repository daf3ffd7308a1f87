"""Recordings as a source: files one after the other, as fast as they are taken or in real time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import BinaryIO, Literal, Protocol

from models.errors import SourceError
from stages.messages import SAMPLE_RATE, AudioBlock, EndOfStream, ErrorReport, StageMessage
from stages.sources.decoding import decode
from stages.sources.paths import STANDARD_INPUT, as_given, expand_path
from stages.sources.standard_input import StandardInput

Pace = Literal["fast", "real"]


class _Reader(Protocol):
    def read(self, timeout: float) -> bytes | None: ...

    def close(self) -> None: ...


class _FileReader:
    def __init__(self, path: str) -> None:
        self._blocks: Generator[bytes, None, None] = decode(path)

    def read(self, timeout: float) -> bytes | None:  # noqa: ARG002  (files don't keep one waiting)
        return next(self._blocks, None)

    def close(self) -> None:
        self._blocks.close()


class RecordingSource:
    """Each file is a stream of its own; a bad one is reported and the next goes on."""

    live = False

    def __init__(
        self,
        name: str,
        paths: Sequence[str],
        *,
        pace: Pace = "fast",
        first: int = 0,
        position: int = 0,
        attempt: int = 0,
        standard_input: BinaryIO | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``paths`` are files, folders, patterns, or ``-`` for raw PCM on standard input.

        With ``pace="real"`` a block comes when its last sample would have been heard. To go on
        where another process ended, begin in the recording of number ``first``, at ``position``;
        ``attempt`` keeps the names of the streams apart.
        """
        self.name = name
        self._paths = tuple(paths)
        self._pace = pace
        self._standard_input = standard_input
        self._now, self._monotonic, self._sleep = now, monotonic, sleep
        self._waiting: deque[tuple[str, SourceError | None]] = deque()
        self._first, self._skip = first, position
        self._attempt = f".{attempt}" if attempt else ""
        self._index = 0
        self._stream = ""
        self._file: str | None = None
        self._reader: _Reader | None = None
        self._position = 0
        self._began = 0.0
        self._held: bytes | None = None
        self._begun = False

    def open(self) -> None:
        """Find the files. What is wrong with any of them is reported when its turn comes."""
        self._waiting.clear()
        for path in self._paths:
            try:
                self._waiting.extend((file, None) for file in expand_path(path))
            except SourceError as error:
                self._waiting.append((path, error))
        while self._index < self._first and self._waiting:
            self._waiting.popleft()
            self._index += 1

    def read(self, timeout: float) -> Sequence[StageMessage] | None:
        """A block, what ended a file, or what is wrong with it; None behind the last file."""
        try:
            if self._reader is None:
                if not self._waiting:
                    return None
                self._begin(*self._waiting.popleft())
            return self._next(timeout)
        except SourceError as error:
            return [self._report(error), *self._end()]

    def close(self) -> Sequence[StageMessage]:
        """Leave the files that are still to come."""
        self._waiting.clear()
        return self._end()

    def _begin(self, path: str, error: SourceError | None) -> None:
        self._stream = f"{self.name}{self._attempt}-{self._index:05d}"
        self._index += 1
        self._file = as_given(path)
        self._position = 0
        self._begun = True
        if error:
            raise error
        if path == STANDARD_INPUT:
            self._reader = StandardInput(self._standard_input)
        else:
            self._reader = _FileReader(path)
            self._go_to(self._skip)
        self._skip = 0
        self._began = self._monotonic() - self._position / SAMPLE_RATE

    def _go_to(self, position: int) -> None:
        """Leave out what was heard before."""
        while self._reader is not None and self._position < position:
            pcm = self._reader.read(0.0)
            if not pcm:
                return
            self._position += len(pcm) // 2

    def _next(self, timeout: float) -> Sequence[StageMessage]:
        assert self._reader is not None
        if self._held is None:
            self._held = self._reader.read(timeout)
            if self._held is None:
                return self._end()
        pcm = self._held
        if pcm and not self._wait_until_heard(self._position + len(pcm) // 2, timeout):
            return []
        self._held = None
        if not pcm:
            return []
        block = AudioBlock(
            source=self.name,
            stream=self._stream,
            file=self._file,
            position=self._position,
            captured=self._now(),
            pcm=pcm,
        )
        self._position += len(pcm) // 2
        return [block]

    def _wait_until_heard(self, position: int, timeout: float) -> bool:
        if self._pace == "fast":
            return True
        due = self._began + position / SAMPLE_RATE
        wait = due - self._monotonic()
        if wait > 0:
            self._sleep(min(wait, max(timeout, 0.0)))
        return self._monotonic() >= due

    def _end(self) -> Sequence[StageMessage]:
        """Close the file. A bad one ends too: what was said of it is published before its end."""
        reader, self._reader, self._held = self._reader, None, None
        if reader is not None:
            reader.close()
        length, self._position = self._position, 0
        if not self._begun:
            return []
        self._begun = False
        return [
            EndOfStream(source=self.name, stream=self._stream, file=self._file, position=length)
        ]

    def _report(self, error: SourceError) -> ErrorReport:
        return ErrorReport(
            source=self.name,
            stream=self._stream,
            file=self._file,
            code="bad-recording",
            detail=error.message,
        )
