"""Answers: questions that nothing else understood are looked up in the user's own documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from models.catalogue import find
from models.mobilebert.answering import Answerer, AnswerSpan
from stages.documents import Answer, read_documents
from stages.messages import StageMessage, Transcript

CONTEXT = 60
"""Characters on either side of an answer that are shown with it."""


def best_answer(
    answerer: Answerer, question: str, documents: dict[str, str], threshold: float | None = None
) -> Answer | None:
    """The surest answer in any document; None where none reaches the threshold.

    ``threshold`` stands in for that of the model.
    """
    best: tuple[AnswerSpan, str] | None = None
    for name, text in documents.items():
        found = (
            answerer.answer(question, text) if threshold is None else answerer.best(question, text)
        )
        if found is None or (threshold is not None and found.score < threshold):
            continue
        if best is None or found.score > best[0].score:
            best = found, name
    if best is None:
        return None
    span, name = best
    text = documents[name]
    around = text[max(0, span.start - CONTEXT) : span.end + CONTEXT]
    return Answer(
        text=span.text,
        document=name,
        start=span.start,
        end=span.end,
        score=round(span.score, 4),
        context=" ".join(around.split()),
    )


class AnswerStage:
    """Adds an answer to transcripts whose intent nobody accepted.

    ``model`` is a name or folder, ``documents`` are text files; an answer below ``threshold``
    (log-odds against there being none) is not given, and without one the model's own counts.
    """

    def __init__(
        self,
        *,
        model: str,
        documents: Sequence[Path],
        threshold: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model_name = model
        self._paths = documents
        self._threshold = threshold
        self._clock = clock
        self._model: Answerer | None = None
        self._documents: dict[str, str] = {}

    def open(self) -> Iterable[StageMessage]:
        """Read the documents and load the model. Raises ModelError or ConfigurationError."""
        self._documents = read_documents(self._paths)
        self._model = Answerer.load(find(self._model_name))
        self._model.answer("warm up", "warm up")
        return ()

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Transcripts gain an answer; anything else passes."""
        if not isinstance(message, Transcript) or message.accepted:
            return (message,)
        assert self._model is not None
        begun = self._clock()
        answer = best_answer(self._model, message.text, self._documents, self._threshold)
        return (
            msgspec.structs.replace(
                message,
                answer=answer if answer is not None else message.answer,
                timings={**message.timings, "answer": (self._clock() - begun) * 1000},
                models={**message.models, "answer": self._model.id},
            ),
        )

    def close(self) -> None:
        """Let go of the model."""
        self._model = None
