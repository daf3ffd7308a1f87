"""The understander: transcripts in, the same transcripts with intent and slots out.

One class for a family: a joint model, a plain text classifier and a plain tagger differ only in
the heads of their model. Several can stand in a chain: a later one guesses the intent only where
none was accepted yet, and adds slots only where no slot is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from models.catalogue import find
from models.domain import Domain
from models.errors import ConfigurationError
from models.mobilebert import LanguageModel, Reading
from stages.messages import Intent, Slot, StageMessage, Transcript

ALTERNATIVES: Final = 3
"""How many other intents an event names."""

WORTH_NAMING: Final = 0.005
"""Alternatives below this confidence are left out."""


class Understander:
    """Adds what a language model reads in a transcript.

    ``model`` is a name or folder. An intent below ``threshold``, or below its own one in
    ``thresholds``, is not accepted.
    """

    def __init__(
        self,
        *,
        model: str,
        domain: Path | None = None,
        threshold: float = 0.6,
        thresholds: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model_name = model
        self._domain_path = domain
        self._threshold = threshold
        self._thresholds = dict(thresholds or {})
        self._clock = clock
        self._model: LanguageModel | None = None
        self._domain: Domain | None = None

    def open(self) -> Iterable[StageMessage]:
        """Load and warm up the model. Raises ModelError, DomainError or ConfigurationError."""
        self._model = LanguageModel.load(find(self._model_name))
        if self._domain_path is not None:
            self._domain = Domain.load(self._domain_path)
        unknown = sorted(set(self._thresholds) - set(self._model.intents))
        if unknown:
            raise ConfigurationError(
                f"understanders: thresholds: {self._model.id} has no intent {unknown[0]}; "
                f"it has {', '.join(self._model.intents) or 'none'}"
            )
        self._model.warm_up()
        return ()

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Transcripts gain intent and slots; anything else passes."""
        if not isinstance(message, Transcript):
            return (message,)
        return (self.understand(message),)

    def close(self) -> None:
        """Let go of the model."""
        self._model = None

    def understand(self, message: Transcript) -> Transcript:
        """``message`` with what this model adds to it."""
        assert self._model is not None
        begun = self._clock()
        reading = self._model.understand(message.text)
        changes = self._judge(message, reading)
        slots = self._slots(message, reading)
        spent = (self._clock() - begun) * 1000
        return msgspec.structs.replace(
            message,
            **changes,
            slots=slots,
            timings={
                **message.timings,
                "understand": message.timings.get("understand", 0.0) + spent,
            },
            models={**message.models, self._role(message): self._model.id},
        )

    def _role(self, message: Transcript) -> str:
        """``nlu``, and ``nlu2`` and so on for the next in a chain."""
        taken = sum(1 for role in message.models if role.startswith("nlu"))
        return "nlu" if taken == 0 else f"nlu{taken + 1}"

    def _judge(
        self, message: Transcript, reading: Reading
    ) -> dict[str, Intent | bool | tuple[Intent, ...]]:
        if message.accepted or not reading.intents:
            return {}
        ranked = [Intent(name=i.name, confidence=round(i.confidence, 4)) for i in reading.intents]
        best, others = ranked[0], ranked[1:]
        if message.intent is not None and message.intent.confidence > best.confidence:
            best = message.intent
        needed = self._thresholds.get(best.name, self._threshold)
        alternatives = [o for o in others if o.confidence >= WORTH_NAMING][:ALTERNATIVES]
        return {
            "intent": best,
            "accepted": best is ranked[0] and best.confidence >= needed,
            "alternatives": tuple(alternatives),
        }

    def _slots(self, message: Transcript, reading: Reading) -> tuple[Slot, ...]:
        slots = list(message.slots)
        for span in reading.slots:
            if any(span.start < slot.end and slot.start < span.end for slot in slots):
                continue
            raw = message.text[span.start : span.end]
            slots.append(
                Slot(
                    name=span.name,
                    raw=raw,
                    value=self._domain.resolve(span.name, raw) if self._domain else raw,
                    start=span.start,
                    end=span.end,
                    confidence=round(span.confidence, 4),
                )
            )
        return tuple(sorted(slots, key=lambda slot: slot.start))
