"""Topics: transcripts in, the same transcripts with what they are about out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from models.catalogue import find
from models.mobilebert.long_text import Classifier
from stages.messages import Intent, StageMessage, Transcript

MOST = 5
"""Topics that a transcript can have."""


class TopicsStage:
    """Adds the topics that a model gives at least ``threshold``.

    ``model`` is a name or folder. Of a model whose labels exclude each other only the best counts.
    """

    def __init__(
        self, *, model: str, threshold: float = 0.5, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._model_name = model
        self._threshold = threshold
        self._clock = clock
        self._model: Classifier | None = None

    def open(self) -> Iterable[StageMessage]:
        """Load and warm up the model. Raises ModelError."""
        self._model = Classifier.load(find(self._model_name))
        self._model.classify("warm up")
        return ()

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Transcripts gain topics; anything else passes."""
        if not isinstance(message, Transcript):
            return (message,)
        assert self._model is not None
        begun = self._clock()
        found = self._model.classify(message.text)
        likely = [
            Intent(name=label.name, confidence=round(label.confidence, 4))
            for label in found.labels[: MOST if found.several else 1]
            if label.confidence >= self._threshold
        ]
        return (
            msgspec.structs.replace(
                message,
                topics=(*(message.topics or ()), *likely),
                timings={**message.timings, "topics": (self._clock() - begun) * 1000},
                models={**message.models, "topics": self._model.id},
            ),
        )

    def close(self) -> None:
        """Let go of the model."""
        self._model = None
