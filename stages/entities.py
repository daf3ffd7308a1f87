"""Entities: transcripts in, the same transcripts with the names in them out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from models.catalogue import find
from models.mobilebert.long_text import Tagger
from stages.messages import Slot, StageMessage, Transcript


class EntitiesStage:
    """Adds the entities that a model finds with at least ``threshold``.

    ``model`` is a name or folder. Unlike slots, entities belong to no intent, and they may lie
    where slots do.
    """

    def __init__(
        self, *, model: str, threshold: float = 0.5, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._model_name = model
        self._threshold = threshold
        self._clock = clock
        self._model: Tagger | None = None

    def open(self) -> Iterable[StageMessage]:
        """Load and warm up the model. Raises ModelError."""
        self._model = Tagger.load(find(self._model_name))
        self._model.tag("warm up")
        return ()

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Transcripts gain entities; anything else passes."""
        if not isinstance(message, Transcript):
            return (message,)
        assert self._model is not None
        begun = self._clock()
        found = tuple(
            Slot(
                name=span.name,
                raw=message.text[span.start : span.end],
                value=message.text[span.start : span.end],
                start=span.start,
                end=span.end,
                confidence=round(span.confidence, 4),
            )
            for span in self._model.tag(message.text)
            if span.confidence >= self._threshold
        )
        return (
            msgspec.structs.replace(
                message,
                entities=(*(message.entities or ()), *found),
                timings={**message.timings, "entities": (self._clock() - begun) * 1000},
                models={**message.models, "entities": self._model.id},
            ),
        )

    def close(self) -> None:
        """Let go of the model."""
        self._model = None
