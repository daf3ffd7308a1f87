"""A language model: joint intent classification and slot filling of one text.

The shape is that of joint BERT (Chen et al. 2019): one encoder, a head over the whole text for
the intent and a head over each word's first piece for the slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from models.mobilebert.heads import IntentReader, ScoredIntent, SlotsReader, TaggedSpan, TaggedWord
from models.mobilebert.labels import LABELS_FILE
from models.mobilebert.network import Network

WARM_UP_WORDS = (1, 6, 14, 30)
"""Lengths run once before the first text; the model's longest is run at load anyway."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text means."""

    intents: tuple[ScoredIntent, ...]
    """All intents, best first, without the out-of-scope label; empty without an intent head."""

    slots: tuple[TaggedSpan, ...]
    """In the order of the text; they never overlap."""

    rejected: float
    """Probability that the text is out of scope; 0 for a model that has no such label."""

    truncated: bool
    """True when the text was longer than the model takes, and its end was not read."""


class LanguageModel:
    """An encoder with its tokenizer and heads. Not for use by several threads at once."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._labels = labels = network.labels
        self._intent_head, self._slots_head = labels.intent_head, labels.slots_head
        self._intents = IntentReader(labels.intent_head) if labels.intent_head else None
        self._slots = (
            SlotsReader(labels.slots_head, labels.intent_slots) if labels.slots_head else None
        )

    @classmethod
    def load(cls, path: Path, *, threads: int = 1) -> LanguageModel:
        """Load the model folder ``path``; its layout is described in ``models.mobilebert``.

        ``threads`` is the number of threads that onnxruntime may use for one text.

        Raises ModelError, naming the file at fault, where a file is missing or malformed, the
        parts do not fit each other, or the model has neither intents nor slots.
        """
        network = Network.load(path, threads=threads)
        if network.labels.intent_head is None and network.labels.slots_head is None:
            raise ModelError(
                f"{path / LABELS_FILE} has no head of kind intent or slots: this model is not for "
                "an understander"
            )
        return cls(network)

    @property
    def id(self) -> str:
        """Name and version: ``mobilebert-home@1``."""
        return self._labels.id

    @property
    def language(self) -> str:
        """Language of the texts, as a code: ``en``."""
        return self._labels.language

    @property
    def intents(self) -> tuple[str, ...]:
        """All intents that the model knows, without the out-of-scope label."""
        return self._intents.intents if self._intents else ()

    @property
    def threshold(self) -> float | None:
        """Confidence from which an intent is worth accepting, if the model says so."""
        return self._intent_head.threshold if self._intent_head else None

    @property
    def slots(self) -> tuple[str, ...]:
        """All slots that the model knows."""
        head = self._labels.slots_head
        return head.slots if head else ()

    def warm_up(self) -> None:
        """Run a few lengths, so that the first text is no slower than the later ones."""
        for words in WARM_UP_WORDS:
            self.understand(" ".join(["warm"] * words))

    def understand(self, text: str) -> Reading:
        """Read a text; any string is allowed.

        The word ``[unk]`` stands for a word that the recogniser did not know. A text without a
        word that the tokenizer can see (empty, blanks, control characters) has no intents and is
        rejected with probability 1.
        """
        encoding = self._network.tokenizer.encode(text)
        if not encoding.words:
            return Reading(intents=(), slots=(), rejected=1.0, truncated=encoding.truncated)
        outputs = self._network.run(encoding)
        intents: tuple[ScoredIntent, ...] = ()
        rejected = 0.0
        slots: tuple[TaggedSpan, ...] = ()
        if self._intents and self._intent_head:
            intents, rejected = self._intents.read(outputs[self._intent_head.output])
        if self._slots and self._slots_head:
            best = intents[0].name if intents else None
            slots = self._slots.read(outputs[self._slots_head.output], encoding, best)
        return Reading(
            intents=intents, slots=slots, rejected=rejected, truncated=encoding.truncated
        )

    def tagged_words(self, text: str, intent: str | None) -> tuple[TaggedWord, ...]:
        """The tag that each word of ``text`` is given as part of ``intent``, for explanations."""
        encoding = self._network.tokenizer.encode(text)
        if self._slots is None or self._slots_head is None or not encoding.words:
            return ()
        logits = self._network.run(encoding)[self._slots_head.output]
        return self._slots.words(logits, encoding, intent)
