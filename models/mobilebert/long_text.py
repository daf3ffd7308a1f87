"""Topics and entities of texts of any length, read in windows that overlap.

A window knows nothing of the others: what a sentence at the start says does not help to read one
behind it. Topics are the mean of what the windows say, each weighing as many words as it adds;
a word's tags come from the window that it stands farthest from the edges of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import ModelError
from models.mobilebert.decoding import softmax
from models.mobilebert.heads import ScoredIntent, SlotsReader, TaggedSpan
from models.mobilebert.labels import LABELS_FILE, IntentHead, SlotsHead, TopicsHead
from models.mobilebert.network import Network
from models.mobilebert.tokens import Encoding

TOPICS_OVERLAP = 8
TAGS_OVERLAP = 16
"""Word pieces that neighbouring windows share."""


@dataclass(frozen=True, slots=True)
class Topics:
    """What a text is about."""

    labels: tuple[ScoredIntent, ...]
    """All labels, likeliest first; without the out-of-scope label."""

    several: bool
    """Whether any number of labels may be right; else the first is, and shares add up to 1."""

    windows: int
    """Number of pieces that the text was read in; 0 where it holds no word."""

    truncated: bool
    """True when there was more text than is ever read."""


class Classifier:
    """Says what texts are about. Not for use by several threads at once."""

    def __init__(self, network: Network, head: IntentHead | TopicsHead) -> None:
        self._network = network
        self._head = head
        self._outside = head.out_of_scope if isinstance(head, IntentHead) else None

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Classifier:
        """Load a model folder with a head of kind ``topics`` or ``intent``. Raises ModelError."""
        network = Network.load(folder, threads=threads)
        head = network.labels.head(TopicsHead) or network.labels.intent_head
        if head is None:
            raise ModelError(
                f"{folder / LABELS_FILE} has no head of kind topics or intent: this model "
                "classifies no texts"
            )
        return cls(network, head)

    @property
    def id(self) -> str:
        """Name and version of the model."""
        return self._network.labels.id

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that it knows."""
        return tuple(label for label in self._head.labels if label != self._outside)

    def classify(self, text: str) -> Topics:
        """Topics of a text; any string is allowed."""
        several = isinstance(self._head, TopicsHead)
        windows = self._network.tokenizer.windows(text, TOPICS_OVERLAP)
        if not windows[0].words:
            return Topics((), several, 0, windows[0].truncated)
        total = np.zeros(len(self._head.labels))
        read = 0
        weights = 0
        for window in windows:
            logits = self._network.run(window)[self._head.output]
            fresh = sum(1 for start, _ in window.words if start >= read)
            read = window.words[-1][1]
            scaled = logits.astype(np.float64) / self._head.temperature
            shares = 1 / (1 + np.exp(-np.clip(scaled, -50, 50))) if several else softmax(scaled)
            total += fresh * shares
            weights += fresh
        pairs = zip(self._head.labels, total / weights, strict=True)
        scored = [ScoredIntent(n, float(p)) for n, p in pairs if n != self._outside]
        scored.sort(key=lambda label: -label.confidence)
        return Topics(tuple(scored), several, len(windows), windows[-1].truncated)


class Tagger:
    """Finds names and other entities. Not for use by several threads at once."""

    def __init__(self, network: Network, head: SlotsHead) -> None:
        self._network = network
        self._head = head
        self._reader = SlotsReader(head)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Tagger:
        """Load a model folder with a head of kind ``slots``. Raises ModelError."""
        network = Network.load(folder, threads=threads)
        head = network.labels.slots_head
        if head is None:
            raise ModelError(
                f"{folder / LABELS_FILE} has no head of kind slots: this model finds no entities"
            )
        return cls(network, head)

    @property
    def id(self) -> str:
        """Name and version of the model."""
        return self._network.labels.id

    @property
    def entities(self) -> tuple[str, ...]:
        """All kinds of entities that it knows."""
        return self._head.slots

    def tag(self, text: str) -> tuple[TaggedSpan, ...]:
        """Entities in the order of the text, which may be any string; they never overlap."""
        windows = self._network.tokenizer.windows(text, TAGS_OVERLAP)
        if not windows[0].words:
            return ()
        logits = [self._network.run(window)[self._head.output] for window in windows]
        chosen = _best_views(windows)
        words = tuple(chosen)
        whole = Encoding(
            ids=np.zeros(0, np.int64),
            words=words,
            pieces=np.zeros(0, np.intp),
            truncated=windows[-1].truncated,
        )
        stacked = np.stack([logits[window][row] for window, row in chosen.values()])
        return self._reader.read(stacked, whole, None)


def _best_views(windows: Sequence[Encoding]) -> dict[tuple[int, int], tuple[int, int]]:
    """For each word, in the order of the text, the window and the row that show it best."""
    best: dict[tuple[int, int], tuple[int, int]] = {}
    margin: dict[tuple[int, int], int] = {}
    for number, window in enumerate(windows):
        last = len(window.words) - 1
        for row, word in enumerate(window.words):
            edge = min(row, last - row)
            if edge > margin.get(word, -1):
                best[word], margin[word] = (number, row), edge
    return dict(sorted(best.items()))
