"""What a head's logits say: intents with probabilities, or slots with their words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.mobilebert.decoding import TagDecoder, softmax
from models.mobilebert.labels import IntentHead, Scope, SlotsHead
from models.mobilebert.tokens import Encoding


@dataclass(frozen=True, slots=True)
class ScoredIntent:
    """An intent and its probability in [0, 1]."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class TaggedSpan:
    """A slot: the characters ``start`` to ``end`` (exclusive) of the text, on word boundaries."""

    name: str
    start: int
    end: int
    confidence: float
    """Geometric mean, over the words of the span, of the probability of the tag each was given."""


@dataclass(frozen=True, slots=True)
class TaggedWord:
    """A word with the tag that it was given."""

    start: int
    end: int
    tag: str
    """BIO tag: ``O``, ``B-name`` or ``I-name``."""

    confidence: float
    """Probability of the tag."""


class IntentReader:
    """Reads the logits of an intent head."""

    def __init__(self, head: IntentHead) -> None:
        self._temperature = head.temperature
        self._scope = head.scope
        self._outside = head.labels.index(head.out_of_scope) if head.out_of_scope else None
        self._intents = [
            (name, index) for index, name in enumerate(head.labels) if index != self._outside
        ]

    @property
    def intents(self) -> tuple[str, ...]:
        """Names of the intents, without the out-of-scope label."""
        return tuple(name for name, _ in self._intents)

    def read(self, logits: npt.NDArray[np.float32]) -> tuple[tuple[ScoredIntent, ...], float]:
        """All intents, best first, and the probability of none of them, from logits [labels]."""
        probabilities = softmax(logits, self._temperature)
        rejected = 0.0
        if self._scope is not None:
            inside = in_scope(logits, self._scope)
            probabilities *= inside
            rejected = 1.0 - inside
        likely = probabilities.tolist()
        scored = [ScoredIntent(name, likely[index]) for name, index in self._intents]
        scored.sort(key=lambda intent: -intent.confidence)
        if self._outside is not None:
            rejected += likely[self._outside]
        return tuple(scored), rejected


def energy(logits: npt.NDArray[np.float32]) -> float:
    """Log-sum-exp of logits [labels]: large for what a model was made for (Liu et al. 2020)."""
    top = float(logits.max())
    return top + float(np.log(np.exp(logits.astype(np.float64) - top).sum()))


def in_scope(logits: npt.NDArray[np.float32], scope: Scope) -> float:
    """Probability that a text with these logits [labels] is what the model was made for."""
    odds = (energy(logits) - scope.threshold) / scope.scale
    return 1.0 / (1.0 + math.exp(-min(max(odds, -50.0), 50.0)))


class SlotsReader:
    """Reads the logits of a slots head."""

    def __init__(
        self, head: SlotsHead, intent_slots: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self._temperature = head.temperature
        self._intent_slots = intent_slots or {}
        self._tags = head.labels
        self._decoder = TagDecoder(head.labels, head.transitions, head.transition_weight)

    def read(
        self, logits: npt.NDArray[np.float32], encoding: Encoding, intent: str | None
    ) -> tuple[TaggedSpan, ...]:
        """Slots of a text from logits [words, labels]; only those that ``intent`` can have.

        An intent without an entry in ``intent_slots``, and no intent, can have any slot.
        """
        path, chosen = self._decode(logits, intent)
        return tuple(
            TaggedSpan(
                name=name,
                start=encoding.words[first][0],
                end=encoding.words[behind - 1][1],
                confidence=math.prod(chosen[first:behind]) ** (1 / (behind - first)),
            )
            for name, first, behind in self._decoder.spans(path)
        )

    def words(
        self, logits: npt.NDArray[np.float32], encoding: Encoding, intent: str | None
    ) -> tuple[TaggedWord, ...]:
        """The tag of every word, from the same as ``read`` takes."""
        path, chosen = self._decode(logits, intent)
        return tuple(
            TaggedWord(start, end, self._tags[tag], confidence)
            for (start, end), tag, confidence in zip(encoding.words, path, chosen, strict=True)
        )

    def _decode(
        self, logits: npt.NDArray[np.float32], intent: str | None
    ) -> tuple[list[int], list[float]]:
        """The best tags, and the probability of each."""
        probabilities = softmax(logits, self._temperature)
        allowed = self._intent_slots.get(intent) if intent else None
        path = self._decoder.decode(probabilities, allowed)
        return path, probabilities[np.arange(len(path)), path].tolist()
