"""The daemon's own stages one behind the other in one process, for one recording at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import msgspec

from pipeline.configuration import Configuration
from pipeline.event_maker import EventMaker
from pipeline.events import ErrorEvent, TranscriptEvent, UtteranceEvent
from pipeline.plan import make_plan
from pipeline.runner import Stage
from pipeline.worker import make_stage
from stages import chain as stages_chain
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

HEARING: Final = ("segmenter", "transcriber")
READING: Final = ("understander", "annotator")


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
        # Nothing is kept, and nobody answers the questions of a dialogue: each recording is one
        # sentence, and stands for itself.
        self.configuration = msgspec.structs.replace(
            configuration,
            transcriber=transcriber,
            keep_audio=None,
            dialogue=msgspec.structs.replace(configuration.dialogue, enabled=False),
        )
        self._understands = bool(configuration.understanders)
        stages: list[Stage] = [
            make_stage(spec, self.configuration)
            for spec in reversed(make_plan(self.configuration, ""))
            if spec.kind in HEARING or spec.kind in READING
        ]
        self._stages = stages_chain.Chain(*stages)
        self._readers = stages_chain.Chain(*stages[len(HEARING) :])
        self._count = 0

    def open(self) -> tuple[str, ...]:
        """Load all models; returns what they warn of. Raises IntentdError."""
        maker = EventMaker(understands=self._understands)
        events = [event for report in self._stages.open() for event in maker.events(report)]
        return tuple(event.detail for event in events if isinstance(event, ErrorEvent))

    def close(self) -> None:
        """Let go of all models."""
        self._stages.close()

    def hear(self, pcm: bytes, file: str) -> Heard:
        """Play a whole recording (int16 samples at 16 kHz)."""
        self._count += 1
        maker = EventMaker(understands=self._understands)
        events: list[UtteranceEvent] = []
        errors: list[str] = []
        begun = time.perf_counter()
        for message in _stream(pcm, file, f"{SOURCE}-{self._count:06d}"):
            for made in self._stages.process(message):
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
        made = [event for m in self._readers.process(transcript) for event in maker.events(m)]
        return [event for event in made if isinstance(event, UtteranceEvent)][-1]


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
