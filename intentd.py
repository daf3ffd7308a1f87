"""intentd for other apps: subscribe to what was said and meant.

    import intentd

    for event in intentd.subscribe("intent/"):
        print(event.intent.name, {slot.name: slot.value for slot in event.slots})

The iterator works with ``async for`` too. Everything else of the project is an implementation
detail of the daemon.
"""

from models.errors import IntentdError
from pipeline.client import Subscriber, subscribe
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
    to_json,
)
from stages.messages import Intent, Question, Slot, Span, Word

__all__ = [
    "CancelledEvent",
    "ErrorEvent",
    "Event",
    "Intent",
    "IntentEvent",
    "IntentdError",
    "NotRecognizedEvent",
    "PartialEvent",
    "Question",
    "QuestionEvent",
    "ReplyEvent",
    "Slot",
    "Span",
    "StateEvent",
    "Subscriber",
    "TranscriptEvent",
    "Word",
    "subscribe",
    "to_json",
]
