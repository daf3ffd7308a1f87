"""Text through the understanders of a configuration, without a daemon."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ulid import ULID

from models.domain import WrittenExample
from models.errors import ConfigurationError
from models.metrics import same_value
from pipeline.configuration import Configuration
from pipeline.event_maker import EventMaker
from pipeline.events import IntentEvent, UtteranceEvent
from pipeline.loading import find_domain
from stages.messages import Slot, Span, Transcript
from stages.understander import Understander


class TextChain:
    """The understanders of a configuration, one behind the other, as the daemon runs them."""

    def __init__(self, understanders: Sequence[Understander]) -> None:
        self.understanders = tuple(understanders)
        self._events = EventMaker(understands=True)

    def understand(self, text: str) -> UtteranceEvent:
        """The event that the daemon would publish if it had heard ``text``."""
        now = time.monotonic()
        message = Transcript(
            source="text",
            stream="text",
            id=str(ULID()),
            text=text,
            words=(),
            speech=Span(start=0.0, end=0.0),
            position=0,
            captured=time.time(),
            decided=now,
            timings={},
            models={},
            simulated=True,
        )
        for understander in self.understanders:
            message = understander.understand(message)
        event = self._events.events(message)[-1]
        assert isinstance(event, UtteranceEvent)
        return event


@contextmanager
def open_text_chain(configuration: Configuration) -> Iterator[TextChain]:
    """The understanders of ``configuration``, open.

    Raises ConfigurationError if there are none, and what they raise when they are opened.
    """
    if not configuration.understanders:
        raise ConfigurationError(
            "this configuration understands nothing: add understanders, or a domain that "
            "`intentd train` has made something of"
        )
    stages = []
    for section in configuration.understanders:
        domain = section.domain or configuration.domain
        stages.append(
            Understander(
                model=section.model,
                domain=find_domain(domain) if domain else None,
                threshold=section.threshold,
                thresholds=section.thresholds,
                word_confidence=section.word_confidence,
                rerank=section.rerank,
            )
        )
    try:
        for stage in stages:
            list(stage.open())
        yield TextChain(stages)
    finally:
        for stage in stages:
            stage.close()


@dataclass(frozen=True)
class Differing:
    """An example that was not understood as its author wrote."""

    example: WrittenExample
    found: str


def differing(chain: TextChain, examples: Sequence[WrittenExample]) -> list[Differing]:
    """Those of ``examples`` whose intent or slots differ from what is written."""
    found = []
    for example in examples:
        event = chain.understand(" ".join(example.text.lower().split()))
        name = event.intent.name if isinstance(event, IntentEvent) else None
        slots = {slot.name: slot for slot in event.slots} if isinstance(event, IntentEvent) else {}
        problem = _problem(example, name, slots)
        if problem:
            found.append(Differing(example, problem))
    return found


def _problem(example: WrittenExample, name: str | None, slots: Mapping[str, Slot]) -> str | None:
    if name != example.intent:
        return f"expected {example.intent or 'a rejection'}, got {name or 'a rejection'}"
    for slot, value in (example.slots or {}).items():
        found = slots.get(slot)
        if found is None or not same_value(value, (found.value, found.raw)):
            return f"slot {slot}: expected {value}, got {found.value if found else 'none'}"
    extra = set(slots) - set(example.slots) if example.slots is not None else set()
    return f"slot {min(extra)}: not expected" if extra else None
