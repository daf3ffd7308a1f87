"""A language model: joint intent classification and slot filling of one text.

The shape is that of joint BERT (Chen et al. 2019): one encoder, a head over the whole text for
the intent and a head over each word's first piece for the slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import ModelError
from models.mobilebert.heads import IntentReader, ScoredIntent, SlotsReader, TaggedSpan
from models.mobilebert.labels import LABELS_FILE, IntentHead, Labels, SlotsHead, read_labels
from models.mobilebert.session import EncoderSession
from models.mobilebert.tokens import WordTokenizer

WARM_UP_TOKENS = (3, 8, 16, 32)
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

    def __init__(self, labels: Labels, tokenizer: WordTokenizer, session: EncoderSession) -> None:
        self._labels = labels
        self._tokenizer = tokenizer
        self._session = session
        intent_head, slots_head = labels.intent_head, labels.slots_head
        self._intents = IntentReader(intent_head) if intent_head else None
        self._slots = SlotsReader(slots_head, labels.intent_slots) if slots_head else None

    @classmethod
    def load(cls, path: Path, *, threads: int = 1) -> LanguageModel:
        """Load the model folder ``path``; its layout is described in ``models.mobilebert``.

        ``threads`` is the number of threads that onnxruntime may use for one text.

        Raises ModelError, naming the file at fault, where a file is missing or malformed or the
        parts do not fit each other.
        """
        if not path.is_dir():
            raise ModelError(
                f"{path} is missing: a language model is a folder with model, tokenizer and labels"
            )
        labels = read_labels(path)
        tokenizer = WordTokenizer.load(path, labels.max_tokens)
        outputs = [head.output for head in labels.heads]
        session = EncoderSession(path / labels.model, outputs, threads=threads)
        session.probe(
            tokenizer.largest_id,
            labels.max_tokens,
            [_shape(head, labels.max_tokens) for head in labels.heads],
            path / LABELS_FILE,
        )
        return cls(labels, tokenizer, session)

    @property
    def id(self) -> str:
        """Name and version: ``mobilebert-home@1``."""
        return f"{self._labels.name}@{self._labels.version}"

    @property
    def language(self) -> str:
        """Language of the texts, as a code: ``en``."""
        return self._labels.language

    @property
    def intents(self) -> tuple[str, ...]:
        """All intents that the model knows, without the out-of-scope label."""
        return self._intents.intents if self._intents else ()

    @property
    def slots(self) -> tuple[str, ...]:
        """All slots that the model knows."""
        head = self._labels.slots_head
        return head.slots if head else ()

    def warm_up(self) -> None:
        """Run a few lengths, so that the first text is no slower than the later ones."""
        for tokens in WARM_UP_TOKENS:
            self._session.run(np.zeros(min(tokens, self._labels.max_tokens), np.int64))
        self.understand("warm up")

    def understand(self, text: str) -> Reading:
        """Read a text; any string is allowed.

        The word ``[unk]`` stands for a word that the recogniser did not know. A text without a
        word that the tokenizer can see (empty, blanks, control characters) has no intents and is
        rejected with probability 1.
        """
        encoding = self._tokenizer.encode(text)
        if not encoding.words:
            return Reading(intents=(), slots=(), rejected=1.0, truncated=encoding.truncated)
        outputs = self._session.run(encoding.ids)
        intents: tuple[ScoredIntent, ...] = ()
        rejected = 0.0
        slots: tuple[TaggedSpan, ...] = ()
        if self._intents:
            intents, rejected = self._intents.read(outputs[self._position(IntentHead)])
        if self._slots:
            best = intents[0].name if intents else None
            slots = self._slots.read(outputs[self._position(SlotsHead)], encoding, best)
        return Reading(
            intents=intents, slots=slots, rejected=rejected, truncated=encoding.truncated
        )

    def _position(self, kind: type[IntentHead | SlotsHead]) -> int:
        return next(i for i, head in enumerate(self._labels.heads) if isinstance(head, kind))


def _shape(head: IntentHead | SlotsHead, tokens: int) -> tuple[int, ...]:
    if isinstance(head, IntentHead):
        return (len(head.labels),)
    return (tokens, len(head.labels))
