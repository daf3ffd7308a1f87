"""The segmenter: audio in, utterances out. Nothing behind it works on silence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from models.vad import WINDOW_BYTES, WINDOW_SAMPLES, VoiceActivityDetector
from stages.endpointing import EndpointRule
from stages.messages import (
    SAMPLE_RATE,
    AudioBlock,
    EndOfStream,
    ErrorReport,
    Resume,
    StageMessage,
)
from stages.utterances import StreamSegmenter


class Segmenter:
    """Cuts every stream into utterances.

    All times are seconds of audio. ``clock`` gives the moment of the endpoint decision, for
    latency figures only.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.5,
        start: float = 0.09,
        endpoint_silence: float = 0.8,
        max_length: float = 20.0,
        pre_roll: float = 0.5,
        gate: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rule = EndpointRule(
            threshold=threshold,
            start=max(1, _windows(start)),
            silence=max(1, _windows(endpoint_silence)),
            longest=_windows(max_length),
        )
        self._pre_roll = _windows(pre_roll)
        self._gate = gate
        self._clock = clock
        self._streams: dict[str, StreamSegmenter] = {}

    def open(self) -> Iterable[StageMessage]:
        """Load the network once, so that a broken installation shows at start."""
        VoiceActivityDetector().probability(bytes(WINDOW_BYTES))
        return ()

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Audio becomes speech chunks, endpoints and progress; anything else passes."""
        match message:
            case AudioBlock():
                stream = self._streams.get(message.stream)
                if stream is None:
                    return self._begin(message)
                return stream.push(message)
            case Resume():
                self.forget(message.source)
                self._streams[message.stream] = self._make(message)
                return ()
            case EndOfStream():
                stream = self._streams.pop(message.stream, None)
                rest = list(stream.finish()) if stream else []
                return [*rest, message]
            case _:
                return (message,)

    def _begin(self, block: AudioBlock) -> Iterator[StageMessage]:
        """A stream's first block. One before it that has no end lost its source to a crash."""
        for name, old in list(self._streams.items()):
            if old.source != block.source:
                continue
            del self._streams[name]
            yield from old.finish()
            yield old.end()
            missing = old.missing_before(block)
            yield ErrorReport(
                source=block.source,
                stream=block.stream,
                code="audio-lost",
                detail=f"{block.source}: its capture was started again; "
                f"{missing / SAMPLE_RATE:.1f} s were not heard",
                count=missing,
            )
        stream = self._streams[block.stream] = self._make(block)
        yield from stream.push(block)

    def _make(self, first: AudioBlock | Resume) -> StreamSegmenter:
        return StreamSegmenter(first, self._rule, self._pre_roll, self._gate, self._clock)

    def forget(self, source: str) -> None:
        """Drop what is unfinished of a source, which sends it again."""
        for name in [name for name, s in self._streams.items() if s.source == source]:
            del self._streams[name]

    def describe(self) -> dict[str, str]:
        """Its model."""
        return {"vad": "silero-vad"}

    def close(self) -> None:
        """Forget all streams."""
        self._streams.clear()


def _windows(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / WINDOW_SAMPLES)
