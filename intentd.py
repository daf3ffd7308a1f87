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
    ErrorEvent,
    Event,
    IntentEvent,
    NotRecognizedEvent,
    PartialEvent,
    StateEvent,
    TranscriptEvent,
    to_json,
)
from stages.messages import Intent, Slot, Span, Word

__all__ = [
    "ErrorEvent",
    "Event",
    "Intent",
    "IntentEvent",
    "IntentdError",
    "NotRecognizedEvent",
    "PartialEvent",
    "Slot",
    "Span",
    "StateEvent",
    "Subscriber",
    "TranscriptEvent",
    "Word",
    "subscribe",
    "to_json",
]
