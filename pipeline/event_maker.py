"""Turns what stages say into numbered public events."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from ulid import ULID

from pipeline.events import (
    CancelledEvent,
    ErrorEvent,
    Event,
    IntentEvent,
    NotRecognizedEvent,
    PartialEvent,
    QuestionEvent,
    ReplyEvent,
    StateEvent,
    TranscriptEvent,
    timestamp,
)
from pipeline.numbering import Numbering
from stages.messages import Cancelled, ErrorReport, Partial, StageMessage, StateReport, Transcript


class EventMaker:
    """Turns stage messages into numbered public events."""

    def __init__(
        self,
        *,
        understands: bool,
        numbering: Numbering | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._understands = understands
        self._wall = wall
        self._numbering = numbering or Numbering(None)

    def events(self, message: StageMessage) -> list[Event]:
        """The events that follow from one message; none for bookkeeping."""
        match message:
            case Transcript():
                made: list[Event] = [self._transcript(message)]
                if self._understands and not (message.turn and message.turn.ended):
                    made.append(self._understood(message))
                if message.turn and message.turn.reply:
                    made.append(self._reply(message, message.turn.reply))
                return made
            case Cancelled():
                return [self._cancelled(message)]
            case Partial():
                return [self._partial(message)]
            case StateReport():
                return [self._state(message)]
            case ErrorReport():
                return [self._error(message)]
            case _:
                return []

    def _next(self) -> int:
        return self._numbering.next()

    def _heard(self, message: Transcript) -> dict[str, object]:
        """What all events of an utterance share."""
        timings = {name: round(value, 3) for name, value in message.timings.items()}
        total = (time.monotonic() - message.decided) * 1000
        spent = sum(value for name, value in timings.items() if name != "endpoint")
        timings["publish"] = round(max(0.0, total - spent), 3)
        fields: dict[str, object] = {
            "seq": self._next(),
            "id": message.id,
            "source": message.source,
            "text": message.text,
            "words": message.words,
            "speech": message.speech,
            "timings_ms": timings,
            "models": message.models,
            "published": timestamp(self._wall()),
        }
        if message.transcripts is not None:
            fields["transcripts"] = message.transcripts
        for name in ("topics", "entities", "answer"):
            if getattr(message, name) is not None:
                fields[name] = getattr(message, name)
        if message.file is not None:
            fields["file"] = message.file
        if message.simulated:
            fields["simulated"] = True
        return fields

    def _transcript(self, message: Transcript) -> Event:
        return TranscriptEvent(**self._heard(message))  # type: ignore[arg-type]

    def _understood(self, message: Transcript) -> Event:
        heard = self._heard(message)
        turn = message.turn
        if turn is not None and turn.question is not None:
            assert message.intent is not None
            return QuestionEvent(
                intent=message.intent,
                slots=message.slots,
                question=turn.question,
                dialogue=turn.id,
                **heard,  # type: ignore[arg-type]
            )
        if turn is not None and message.accepted:
            heard["dialogue"] = turn.id
        kind = IntentEvent if message.accepted else NotRecognizedEvent
        return kind(
            intent=message.intent,  # type: ignore[arg-type]
            slots=message.slots,
            alternatives=message.alternatives,
            **heard,  # type: ignore[arg-type]
        )

    def _reply(self, message: Transcript, text: str) -> Event:
        event = ReplyEvent(
            seq=self._next(),
            id=message.id,
            source=message.source,
            text=text,
            intent=message.intent.name if message.intent else "",
            published=timestamp(self._wall()),
        )
        return _with_file(event, message.file)

    def _cancelled(self, message: Cancelled) -> Event:
        event = CancelledEvent(
            seq=self._next(),
            id=message.id,
            source=message.source,
            text=message.text,
            intent=message.intent.name,
            reason=message.reason,
            published=timestamp(self._wall()),
        )
        return _with_file(event, message.file)

    def _partial(self, message: Partial) -> Event:
        event = PartialEvent(
            seq=self._next(),
            id=message.id,
            source=message.source,
            text=message.text,
            published=timestamp(self._wall()),
        )
        return _with_file(event, message.file)

    def _state(self, message: StateReport) -> Event:
        return StateEvent(
            seq=self._next(),
            id=message.id or str(ULID()),
            source=message.source,
            state=message.state,
            detail=message.detail,
            published=timestamp(self._wall()),
        )

    def _error(self, message: ErrorReport) -> Event:
        event = ErrorEvent(
            seq=self._next(),
            id=message.id or str(ULID()),
            source=message.source,
            code=message.code,
            detail=message.detail,
            count=message.count,
            published=timestamp(self._wall()),
        )
        return _with_file(event, message.file)


def _with_file(event: Event, file: str | None) -> Event:
    return event if file is None else msgspec.structs.replace(event, file=file)
