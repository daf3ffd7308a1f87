"""The understander: transcripts in, the same transcripts with intent and slots out.

One class for a family: a joint model, a plain text classifier and a plain tagger differ only in
the heads of their model. Several can stand in a chain: a later one guesses the intent only where
none was accepted yet, and adds slots only where no slot is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET

from models.catalogue import find
from models.domain import Domain
from models.errors import ConfigurationError
from models.mobilebert import LanguageModel, Reading, TaggedSpan
from models.values import Value
from stages.messages import Intent, Slot, StageMessage, Transcript

RERANK: Final = 5
"""N-best transcripts that are read."""

ALTERNATIVES: Final = 3
"""How many other intents an event names."""

DEFAULT_THRESHOLD: Final = 0.6
"""For models that have none of their own."""

WORD_CONFIDENCE: Final = 0.6
"""Mean confidence of the words from which they may be a command."""

WORTH_NAMING: Final = 0.005
"""Alternatives below this confidence are left out."""


class Understander:
    """Adds what a language model reads in a transcript.

    ``model`` is a name or folder. An intent below its own threshold in ``thresholds`` or in the
    domain's file, or else below ``threshold``, or else below the model's, is not accepted; where
    only the model's counts, a sentence that a template covers word for word is accepted anyway.
    Nothing is accepted whose words have a lower mean confidence than ``word_confidence``; words
    without confidences pass. Of n-best transcripts the first among ``rerank`` that is accepted
    takes the place of the best.
    """

    def __init__(
        self,
        *,
        model: str,
        domain: Path | None = None,
        threshold: float | None = None,
        thresholds: Mapping[str, float] | None = None,
        word_confidence: float = WORD_CONFIDENCE,
        rerank: int = RERANK,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model_name = model
        self._domain_path = domain
        self._given_threshold = threshold
        self._threshold = DEFAULT_THRESHOLD if threshold is None else threshold
        self._thresholds = dict(thresholds or {})
        self._word_confidence = word_confidence
        self._rerank = rerank
        self._clock = clock
        self._model: LanguageModel | None = None
        self._domain: Domain | None = None
        self._implies = False

    @property
    def domain(self) -> Domain | None:
        """The domain, once the stage is open."""
        return self._domain

    def open(self) -> Iterable[StageMessage]:
        """Load and warm up the model. Raises ModelError, DomainError or ConfigurationError."""
        self._model = LanguageModel.load(find(self._model_name))
        if self._domain_path is not None:
            self._domain = Domain.load(self._domain_path)
            self._implies = any(template.implied for template in self._domain.templates)
            details = self._domain.details.values()
            own = {each.name: each.threshold for each in details if each.threshold is not None}
            known = {name: value for name, value in own.items() if name in self._model.intents}
            self._thresholds = {**known, **self._thresholds}
        if self._given_threshold is None and self._model.threshold is not None:
            self._threshold = self._model.threshold
        unknown = sorted(set(self._thresholds) - set(self._model.intents))
        if unknown:
            raise ConfigurationError(
                f"understanders: thresholds: {self._model.id} has no intent {unknown[0]}; "
                f"it has {', '.join(self._model.intents) or 'none'}"
            )
        self._model.warm_up()
        return ()

    @property
    def model(self) -> LanguageModel:
        """The model, once it is open."""
        assert self._model is not None
        return self._model

    @property
    def threshold(self) -> float:
        """Confidence from which intents without a threshold of their own are accepted."""
        return self._threshold

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Transcripts gain intent and slots; anything else passes."""
        if not isinstance(message, Transcript):
            return (message,)
        return (self.understand(message),)

    def describe(self) -> dict[str, str]:
        """Its model."""
        return {"nlu": self._model.id} if self._model else {}

    def close(self) -> None:
        """Let go of the model."""
        self._model = None

    def understand(self, message: Transcript) -> Transcript:
        """``message`` with what this model adds to it."""
        assert self._model is not None
        begun = self._clock()
        read = self._read(message)
        # What another understander found stands in the words of the best transcript.
        if not read.accepted and message.intent is None and not message.slots:
            read = self._read_others(message) or read
        spent = (self._clock() - begun) * 1000
        return msgspec.structs.replace(
            read,
            timings={
                **message.timings,
                "understand": message.timings.get("understand", 0.0) + spent,
            },
            models={**message.models, self._role(message): self._model.id},
        )

    def _read(self, message: Transcript) -> Transcript:
        """``message`` with intent and slots."""
        assert self._model is not None
        reading = self._model.understand(message.text)
        changes = self._judge(message, reading)
        clear = self._is_clear(message)
        if clear and not changes.get("accepted", True):
            covered = self._covered(message, reading)
            if covered is not None:
                reading = covered
                changes = {**self._judge(message, reading), "accepted": True}
        if not clear and "accepted" in changes:
            changes["accepted"] = False
        read = msgspec.structs.replace(message, **changes, slots=self._slots(message, reading))
        return msgspec.structs.replace(read, slots=self._implied(read))

    def _read_others(self, message: Transcript) -> Transcript | None:
        """The first of the other transcripts that means something; times of its words are lost."""
        for text in (message.transcripts or ())[1 : self._rerank]:
            read = self._read(msgspec.structs.replace(message, text=text, words=()))
            if read.accepted:
                return read
        return None

    def _is_clear(self, message: Transcript) -> bool:
        """False where the recogniser itself doubts its words, as it does when it hears noises."""
        sure = [word.confidence for word in message.words if word.confidence is not None]
        return not sure or sum(sure) / len(sure) >= self._word_confidence

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

    def _covered(self, message: Transcript, reading: Reading) -> Reading | None:
        """What the templates say, if one of them covers the text word for word.

        Such a sentence is no guess that a model's threshold could be for. Thresholds that
        somebody configured are kept all the same.
        """
        if self._domain is None or self._given_threshold is not None:
            return None
        text = " ".join(message.text.split())
        example = self._domain.parse(text) if text == message.text else None
        if example is None or example.intent in self._thresholds:
            return None
        intents = sorted(reading.intents, key=lambda intent: intent.name != example.intent)
        if not intents or intents[0].name != example.intent:
            return None
        slots = tuple(
            TaggedSpan(slot.name, slot.start, slot.end, 1.0)
            for slot in sorted(example.slots, key=lambda slot: slot.start)
        )
        return Reading(tuple(intents), slots, reading.rejected, reading.truncated)

    def _slots(self, message: Transcript, reading: Reading) -> tuple[Slot, ...]:
        slots = list(message.slots)
        for span in reading.slots:
            if any(span.start < slot.end and slot.start < span.end for slot in slots):
                continue
            slots.append(self._slot(span, message))
        return tuple(sorted(slots, key=lambda slot: slot.start))

    def _slot(self, span: TaggedSpan, message: Transcript) -> Slot:
        raw = message.text[span.start : span.end]
        # "In ten minutes" counts from when it was said, however long it had to wait here.
        said = datetime.fromtimestamp(message.captured) if message.captured else datetime.now()
        value = self._domain.value(span.name, raw, said) if self._domain else Value(raw)
        return Slot(
            name=span.name,
            raw=raw,
            value=value.value,
            type=self._domain.type_of(span.name) if self._domain else "text",
            unit=UNSET if value.unit is None else value.unit,
            start=span.start,
            end=span.end,
            confidence=round(span.confidence, 4),
        )

    def _implied(self, message: Transcript) -> tuple[Slot, ...]:
        """Slots that follow from the sentence without being said, if a template has it."""
        if not self._implies or not message.accepted or message.intent is None:
            return message.slots
        assert self._domain is not None
        found = self._domain.recognize(message.text)
        if found is None or found.intent != message.intent.name:
            return message.slots
        told = {slot.name for slot in message.slots}
        more = (
            Slot(name=name, raw="", value=value, type="list", start=0, end=0, confidence=1.0)
            for name, value in found.implied.items()
            if name not in told and isinstance(value, str | int | float)
        )
        return (*message.slots, *more)
