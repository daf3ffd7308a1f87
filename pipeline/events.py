"""The public events: what an app that subscribes gets, as JSON.

Their keys and types are a promise; the JSON Schema in ``pipeline/schemas/event.schema.json`` is
made from these structures by ``python -m pipeline.events``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from stages.documents import Answer
from stages.messages import Intent, Question, Slot, Span, Word

SCHEMA_VERSION: Final = 1
"""Raised when a key changes its meaning or goes away; new optional keys don't raise it."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    schema: int = SCHEMA_VERSION
    seq: int
    """Number of the event, counted by its publisher from 1."""

    id: str
    """ULID: of the utterance for what was heard, else of the event."""

    source: str
    """Name of the source, empty where the event is the daemon's own."""


class _HeardEvent(_Event, frozen=True, kw_only=True):
    """What all events of a finished utterance tell."""

    text: str
    words: tuple[Word, ...]
    speech: Span
    timings_ms: dict[str, float]
    models: dict[str, str]
    published: str
    transcripts: tuple[str, ...] | UnsetType = UNSET
    topics: tuple[Intent, ...] | UnsetType = UNSET
    entities: tuple[Slot, ...] | UnsetType = UNSET
    answer: Answer | UnsetType = UNSET
    file: str | UnsetType = UNSET
    simulated: bool | UnsetType = UNSET


class IntentEvent(_HeardEvent, frozen=True, kw_only=True, tag="intent"):
    """An utterance that was understood."""

    intent: Intent
    slots: tuple[Slot, ...]
    alternatives: tuple[Intent, ...]
    dialogue: str | UnsetType = UNSET
    """Id of the utterance that began the dialogue in which the intent became complete."""


class NotRecognizedEvent(_HeardEvent, frozen=True, kw_only=True, tag="not-recognized"):
    """An utterance that no intent fits well enough; ``intent`` is the best guess."""

    intent: Intent | None
    slots: tuple[Slot, ...]
    alternatives: tuple[Intent, ...]


class QuestionEvent(_HeardEvent, frozen=True, kw_only=True, tag="question"):
    """An intent that is held back until its question is answered by the next utterance."""

    intent: Intent
    slots: tuple[Slot, ...]
    question: Question
    dialogue: str
    """Id of the utterance that began the dialogue."""


class ReplyEvent(_Event, frozen=True, kw_only=True, tag="reply"):
    """What the domain answers to an intent that is complete; ``id`` is that of the intent's."""

    text: str
    intent: str
    published: str
    file: str | UnsetType = UNSET


class CancelledEvent(_Event, frozen=True, kw_only=True, tag="cancelled"):
    """An intent that was asked about and will not be done; ``id`` is that of the dialogue."""

    text: str
    """All that was said of it."""

    intent: str
    reason: str
    published: str
    file: str | UnsetType = UNSET


class TranscriptEvent(_HeardEvent, frozen=True, kw_only=True, tag="transcript"):
    """What was heard in an utterance, whatever it means."""


class PartialEvent(_Event, frozen=True, kw_only=True, tag="partial"):
    """What has been heard so far of an utterance that still goes on."""

    text: str
    published: str
    file: str | UnsetType = UNSET


class StateEvent(_Event, frozen=True, kw_only=True, tag="state"):
    """Something in the daemon changed. The last one is given to late subscribers."""

    state: str
    detail: str
    published: str


class ErrorEvent(_Event, frozen=True, kw_only=True, tag="error"):
    """Something went wrong or was lost, and the daemon goes on."""

    code: str
    detail: str
    count: int
    published: str
    file: str | UnsetType = UNSET


UtteranceEvent = IntentEvent | NotRecognizedEvent | QuestionEvent | TranscriptEvent
"""The events that close an utterance."""

Event = UtteranceEvent | ReplyEvent | CancelledEvent | PartialEvent | StateEvent | ErrorEvent
"""Any public event."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def topic(event: Event) -> bytes:
    """The ZeroMQ topic of an event. It ends in a slash, because topics are prefixes."""
    match event:
        case IntentEvent():
            return f"intent/{event.intent.name}/".encode()
        case NotRecognizedEvent():
            return b"not-recognized/"
        case QuestionEvent():
            return b"question/"
        case ReplyEvent():
            return b"reply/"
        case CancelledEvent():
            return b"cancelled/"
        case TranscriptEvent():
            return b"transcript/"
        case PartialEvent():
            return b"partial/"
        case StateEvent():
            return b"state/"
        case ErrorEvent():
            return b"error/"


def to_json(event: Event) -> bytes:
    """An event as one line of JSON."""
    return _encoder.encode(event)


def from_json(body: bytes | str) -> Event:
    """The event in ``body``. Raises msgspec.DecodeError where it isn't one."""
    event: Event = _decoder.decode(body)
    return event


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, from seconds since the epoch."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the public event."""
    schema = msgspec.json.schema(Event)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "intentd event",
        **schema,
    }


if __name__ == "__main__":
    import json
    from pathlib import Path

    target = Path(__file__).parent / "schemas" / "event.schema.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(json_schema(), indent=2) + "\n")
