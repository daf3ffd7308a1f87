"""Extractive question answering: which words of a document answer a question (Devlin et al. 2019).

A document that is longer than the model takes is read in windows that overlap, and the best span
of all wins. That is a weakness of a small model: what lies outside a window cannot help it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from models.errors import ModelError
from models.mobilebert.labels import AnswerHead
from models.mobilebert.network import Network

LONGEST_ANSWER = 30
"""Tokens; longer spans are never answers."""

CANDIDATES = 20
"""Beginnings and ends that are tried together."""

QUESTION_SHARE = 0.5
"""A question may take so much of a window; what is longer is cut."""

STRIDE = 48
"""Tokens by which windows overlap."""

MAX_DOCUMENT = 200_000
"""Characters of a document that are read."""


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """Words of a document that answer a question."""

    text: str
    start: int
    """First character in the document."""

    end: int
    """The character behind the last."""

    score: float
    """Log-odds of the span against no answer; the greater the surer."""


@dataclass(frozen=True, slots=True)
class PairWindow:
    """A question and a part of a document as the model sees them."""

    ids: npt.NDArray[np.int64]
    types: npt.NDArray[np.int64]
    """0 for the question, 1 for the document [tokens]."""

    offsets: tuple[tuple[int, int], ...]
    """Characters of the document for each token behind ``first``."""

    first: int
    """First token of the document."""

    def tokens_of(self, start: int, end: int) -> tuple[int, int] | None:
        """First and last token of characters of the document, if all are in this window."""
        inside = [i for i, (a, b) in enumerate(self.offsets) if a < end and b > start]
        if not inside or self.offsets[inside[0]][0] > start or self.offsets[inside[-1]][1] < end:
            return None
        return self.first + inside[0], self.first + inside[-1]


class PairTokenizer:
    """Puts a question and parts of a document behind one another."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        frame = tokenizer.encode("").ids
        self._start, self._separator = frame[0], frame[-1]

    def windows(self, question: str, document: str, stride: int = STRIDE) -> Iterator[PairWindow]:
        """Windows over a document; none where either holds no words."""
        asked = self._pieces(question).ids[: int(QUESTION_SHARE * self._max_tokens) - 2]
        encoding = self._pieces(document[:MAX_DOCUMENT])
        if not asked or not encoding.ids:
            return
        head = [self._start, *asked, self._separator]
        room = self._max_tokens - len(head) - 1
        step = max(1, room - min(stride, room // 2))
        for at in range(0, len(encoding.ids), step):
            part = encoding.ids[at : at + room]
            ids = [*head, *part, self._separator]
            types = [0] * len(head) + [1] * (len(part) + 1)
            yield PairWindow(
                np.array(ids, np.int64),
                np.array(types, np.int64),
                tuple(encoding.offsets[at : at + room]),
                len(head),
            )
            if at + room >= len(encoding.ids):
                return

    def _pieces(self, text: str) -> Encoding:
        clean = text.encode("utf-8", "replace").decode("utf-8")
        return self._tokenizer.encode(clean, add_special_tokens=False)


class Answerer:
    """A model that points at answers. Not for use by several threads at once."""

    def __init__(self, network: Network, head: AnswerHead) -> None:
        self._network = network
        self._head = head
        self._pairs = PairTokenizer(network.tokenizer.backend, network.labels.max_tokens)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Answerer:
        """Load a model folder with a head of kind ``answer``. Raises ModelError."""
        network = Network.load(folder, threads=threads)
        head = network.labels.head(AnswerHead)
        if head is None:
            raise ModelError(f"{folder} has no head of kind answer: it answers no questions")
        return cls(network, head)

    @property
    def id(self) -> str:
        """Name and version of the model."""
        return self._network.labels.id

    def answer(self, question: str, document: str) -> AnswerSpan | None:
        """The best span of a document; None where no span reaches the model's threshold.

        Any strings are allowed; a question or document without words has no answer.
        """
        best = self.best(question, document)
        return best if best is not None and best.score >= self._head.threshold else None

    def best(self, question: str, document: str) -> AnswerSpan | None:
        """The best span whatever its score; None only where there is nothing to read."""
        spans = [self._span(window) for window in self._pairs.windows(question, document)]
        if not spans:
            return None
        start, end, score = max(spans, key=lambda span: span[2])
        return AnswerSpan(document[start:end], start, end, score)

    def _span(self, window: PairWindow) -> tuple[int, int, float]:
        outputs = self._network.run_ids(window.ids, window.types)
        starts, ends = outputs[self._head.output], outputs[self._head.end_output]
        none = float(starts[0] + ends[0])
        document = slice(window.first, window.first + len(window.offsets))
        begin, finish = starts[document], ends[document]
        best = (*window.offsets[0], -np.inf)
        for first in np.argsort(begin)[::-1][:CANDIDATES]:
            behind = min(len(finish), first + LONGEST_ANSWER)
            last = int(first) + int(np.argmax(finish[first:behind]))
            score = float(begin[first] + finish[last]) - none
            if score > best[2]:
                best = window.offsets[first][0], window.offsets[last][1], score
        return best
