"""An understander without a model: what the templates of a domain have is understood, no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import UNSET

from models.domain import Domain, Recognition
from stages.messages import Intent, Slot, StageMessage, Transcript


class TemplateUnderstander:
    """Takes a text for what its template says, with confidence 1, or rejects it."""

    def __init__(self, domain: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = domain
        self._clock = clock
        self.domain: Domain | None = None
        """The domain, once the stage is open."""

    def open(self) -> Iterable[StageMessage]:
        """Read the domain. Raises DomainError."""
        self.domain = Domain.load(self._path)
        return ()

    def close(self) -> None:
        """Nothing is held."""

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Transcripts gain intent and slots; anything else passes."""
        if not isinstance(message, Transcript):
            return (message,)
        assert self.domain is not None
        begun = self._clock()
        found = self.domain.recognize(message.text)
        spent = (self._clock() - begun) * 1000
        return (
            msgspec.structs.replace(
                message,
                intent=Intent(name=found.intent, confidence=1.0) if found else None,
                accepted=found is not None,
                slots=_slots(found, message.text, self.domain) if found else (),
                timings={**message.timings, "understand": spent},
                models={**message.models, "nlu": f"templates-{self.domain.name}"},
            ),
        )


def _slots(found: Recognition, text: str, domain: Domain) -> tuple[Slot, ...]:
    slots = []
    for slot in found.slots:
        raw = text[slot.start : slot.end]
        value = domain.value(slot.name, raw)
        # What hassil read from digits ("50%") no list of words knows.
        known = value.value if value.value != raw else slot.value
        slots.append(
            Slot(
                name=slot.name,
                raw=raw,
                value=known,
                type=domain.type_of(slot.name),
                unit=UNSET if value.unit is None else value.unit,
                start=slot.start,
                end=slot.end,
                confidence=1.0,
            )
        )
    for name, value in found.implied.items():
        if isinstance(value, str | int | float):
            slots.append(
                Slot(name=name, raw="", value=value, type="list", start=0, end=0, confidence=1.0)
            )
    return tuple(slots)
