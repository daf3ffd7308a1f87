"""Events as one line for people."""

from __future__ import annotations

import click

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
    UtteranceEvent,
)


def one_line(event: Event) -> str:
    """An event with its source, as ``intentd listen`` shows it."""
    source = event.source or "intentd"
    match event:
        case IntentEvent() | NotRecognizedEvent() | QuestionEvent() | TranscriptEvent():
            return f"{source}  {meaning(event)}"
        case ReplyEvent():
            return f"{source}  {click.style(event.text, fg='yellow')}"
        case CancelledEvent():
            return click.style(f"{source}  {event.intent} is off: {event.reason}", dim=True)
        case PartialEvent():
            return click.style(f'{source}  "{event.text}" …', dim=True)
        case StateEvent():
            detail = f": {event.detail}" if event.detail else ""
            return click.style(f"{source}  [{event.state}]{detail}", fg="cyan")
        case ErrorEvent():
            return click.style(f"{source}  [{event.code}] {event.detail}", fg="red")


def meaning(event: UtteranceEvent) -> str:
    """``"text" → intent(slot=value, …)  0.97``."""
    text = f'"{event.text}"'
    match event:
        case TranscriptEvent():
            return text
        case QuestionEvent():
            return f"{text} → {event.intent.name}: {click.style(event.question.text, fg='yellow')}"
        case NotRecognizedEvent(intent=None):
            return f"{text} → not recognized"
        case NotRecognizedEvent(intent=guess):
            assert guess is not None
            return f"{text} → not recognized  ({guess.name} {guess.confidence:.2f})"
        case IntentEvent():
            slots = ", ".join(f"{slot.name}={slot.value}" for slot in event.slots)
            name = click.style(event.intent.name, fg="green")
            return f"{text} → {name}({slots})  {event.intent.confidence:.2f}"
