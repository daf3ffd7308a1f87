"""The daemon's own stages one behind the other in one process, for one recording at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from pipeline.configuration import Configuration
from pipeline.event_maker import EventMaker
from pipeline.events import ErrorEvent, TranscriptEvent, UtteranceEvent
from pipeline.plan import make_plan
from pipeline.runner import Stage
from pipeline.worker import make_stage
from stages.messages import (
    SAMPLE_RATE,
    AudioBlock,
    EndOfStream,
    Span,
    StageMessage,
    Transcript,
)
from stages.sources.base import BLOCK_BYTES

SOURCE: Final = "evaluation"


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording gave."""

    events: tuple[UtteranceEvent, ...]
    """One for each utterance: what was understood, or the text alone without understanders."""

    errors: tuple[str, ...]
    audio_seconds: float
    processing_seconds: float


class Chain:
    """Segmenter, transcriber and understanders of a configuration.

    The stages are made and fed as the daemon does it; only the queues between them are left out.
    """

    def __init__(self, configuration: Configuration) -> None:
        transcriber = msgspec.structs.replace(configuration.transcriber, workers=1)
        self.configuration = msgspec.structs.replace(
            configuration, transcriber=transcriber, keep_audio=None
        )
        self._understands = bool(configuration.understanders)
        plan = [
            spec
            for spec in reversed(make_plan(self.configuration, ""))
            if spec.kind in ("segmenter", "transcriber", "understander")
        ]
        order = ("segmenter", "transcriber", "understander")
        plan.sort(key=lambda spec: (order.index(spec.kind), spec.index))
        self._stages: list[Stage] = [make_stage(spec, self.configuration) for spec in plan]
        self._understanders = self._stages[2:]
        self._count = 0

    def open(self) -> tuple[str, ...]:
        """Load all models; returns what they warn of. Raises IntentdError."""
        maker = EventMaker(understands=self._understands)
        reports = [report for stage in self._stages for report in stage.open()]
        events = [event for report in reports for event in maker.events(report)]
        return tuple(event.detail for event in events if isinstance(event, ErrorEvent))

    def close(self) -> None:
        """Let go of all models."""
        for stage in self._stages:
            stage.close()

    def hear(self, pcm: bytes, file: str) -> Heard:
        """Play a whole recording (int16 samples at 16 kHz)."""
        self._count += 1
        maker = EventMaker(understands=self._understands)
        events: list[UtteranceEvent] = []
        errors: list[str] = []
        begun = time.perf_counter()
        for message in _stream(pcm, file, f"{SOURCE}-{self._count:06d}"):
            for made in _pass_on(self._stages, message):
                for event in maker.events(made):
                    if isinstance(event, ErrorEvent):
                        errors.append(event.detail)
                    elif isinstance(event, UtteranceEvent) and (
                        isinstance(event, TranscriptEvent) is not self._understands
                    ):
                        events.append(event)
        return Heard(
            events=tuple(events),
            errors=tuple(errors),
            audio_seconds=len(pcm) / 2 / SAMPLE_RATE,
            processing_seconds=time.perf_counter() - begun,
        )

    def read(self, text: str) -> UtteranceEvent:
        """What the understanders make of ``text``, as if it had been heard."""
        transcript = Transcript(
            source=SOURCE, stream="", id="", text=text, speech=Span(start=0, end=0), position=0
        )
        maker = EventMaker(understands=self._understands)
        (made,) = _pass_on(self._understanders, transcript)
        event = maker.events(made)[-1]
        assert isinstance(event, UtteranceEvent)
        return event


def _stream(pcm: bytes, file: str, stream: str) -> Iterator[StageMessage]:
    captured = time.time()
    for start in range(0, len(pcm), BLOCK_BYTES):
        yield AudioBlock(
            source=SOURCE,
            stream=stream,
            file=file,
            position=start // 2,
            captured=captured,
            pcm=pcm[start : start + BLOCK_BYTES],
        )
    yield EndOfStream(source=SOURCE, stream=stream, file=file, position=len(pcm) // 2)


def _pass_on(stages: Sequence[Stage], message: StageMessage) -> Iterable[StageMessage]:
    if not stages:
        return (message,)
    return (out for made in stages[0].process(message) for out in _pass_on(stages[1:], made))
