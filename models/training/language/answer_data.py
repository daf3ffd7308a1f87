"""Questions with answers in SQuAD's format (Rajpurkar et al. 2016), cut into windows of tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from models.mobilebert.answering import PairTokenizer


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a text."""

    text: str
    context: str
    answers: tuple[tuple[int, str], ...]
    """First character in the context and words of each; none where it holds no answer."""


@dataclass(frozen=True, slots=True)
class Window:
    """Question and a part of its context, ready for a batch."""

    ids: tuple[int, ...]
    types: tuple[int, ...]
    first: int
    """Token that the answer begins with; 0, [CLS], where this part does not hold it."""

    last: int


def read_questions(path: Path) -> list[Question]:
    """Read a file of SQuAD 1.1 or 2.0. Raises ModelError that names the file and what is wrong."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))["data"]
        found = [
            Question(
                qa["question"],
                paragraph["context"],
                tuple((int(a["answer_start"]), str(a["text"])) for a in qa.get("answers", ())),
            )
            for article in data
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
        ]
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} is not JSON: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not in SQuAD's format: it lacks {error}") from None
    for question in found:
        for start, text in question.answers:
            if question.context[start : start + len(text)] != text:
                raise ModelError(
                    f'{path}: the answer "{text[:40]}" does not stand at character {start} of its '
                    "context: correct answer_start"
                )
    if not found:
        raise ModelError(f"{path} holds no questions: give some")
    return found


def windows_of(
    questions: Sequence[Question], tokenizer: PairTokenizer, stride: int
) -> list[Window]:
    """All windows over the contexts; an answer counts where a window holds all of it."""
    found = []
    for question in questions:
        for window in tokenizer.windows(question.text, question.context, stride):
            first = last = 0
            if question.answers:
                start, text = question.answers[0]
                first, last = window.tokens_of(start, start + len(text)) or (0, 0)
            found.append(
                Window(tuple(window.ids.tolist()), tuple(window.types.tolist()), first, last)
            )
    return found
