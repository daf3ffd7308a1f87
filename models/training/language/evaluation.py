"""Scores of a finished model, taken through the runtime that the daemon uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.metrics import slot_scores
from models.mobilebert import LanguageModel
from models.mobilebert.decoding import softmax
from models.training.language.alignment import LabelledText, tag_spans

TEMPERATURES = np.geomspace(0.5, 5.0, 47)


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a model reads texts whose meaning is known; shares in [0, 1]."""

    count: int
    intent: float
    """Share of texts whose best intent is the right one."""

    slot_f1: float | None
    """F1 of slots, name and both ends right; None where no tags are known."""

    sentence: float | None
    """Share of texts with the right intent and exactly the right slots."""

    accepted: float
    """Share of texts whose best intent is right and reaches the threshold."""

    def __str__(self) -> str:
        parts = [f"intent {100 * self.intent:.1f} %"]
        if self.slot_f1 is not None and self.sentence is not None:
            parts.append(f"slot F1 {100 * self.slot_f1:.1f} %")
            parts.append(f"sentence {100 * self.sentence:.1f} %")
        parts.append(f"accepted {100 * self.accepted:.1f} %")
        return ", ".join(parts)


def evaluate(model: LanguageModel, texts: Sequence[LabelledText], threshold: float) -> Scores:
    """Read ``texts`` and compare; they must not be empty."""
    right = accepted = sentences = 0
    expected, found = [], []
    tagged = texts[0].tags is not None
    for text in texts:
        reading = model.understand(text.text)
        best = reading.intents[0] if reading.intents else None
        is_right = best is not None and best.name == text.intent
        right += is_right
        accepted += bool(is_right and best and best.confidence >= threshold)
        gold = _character_spans(text)
        mine = {(slot.name, (slot.start, slot.end)) for slot in reading.slots}
        expected.append(gold)
        found.append(mine)
        sentences += is_right and gold == mine
    count = len(texts)
    f1 = slot_scores(expected, found).f1.value if tagged else None
    return Scores(
        count=count,
        intent=right / count,
        slot_f1=1.0 if tagged and f1 is None else f1,
        sentence=sentences / count if tagged else None,
        accepted=accepted / count,
    )


def false_accepts(model: LanguageModel, texts: Sequence[str], threshold: float) -> float:
    """Share of texts outside the domain that reach the threshold all the same."""
    accepted = 0
    for text in texts:
        intents = model.understand(text).intents
        accepted += bool(intents and intents[0].confidence >= threshold)
    return accepted / len(texts)


def best_temperature(logits: Sequence[npt.NDArray[np.float32]], labels: Sequence[int]) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017).

    Each of ``logits`` is [labels]; each of ``labels`` is the index that was right.
    """
    stacked, right = np.stack(logits), np.asarray(labels)
    rows = np.arange(len(right))
    losses = [
        -np.log(np.maximum(softmax(stacked, float(t))[rows, right], 1e-12)).mean()
        for t in TEMPERATURES
    ]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 3)


def _character_spans(text: LabelledText) -> set[tuple[str, tuple[int, int]]]:
    starts = [0]
    for word in text.words:
        starts.append(starts[-1] + len(word) + 1)
    return {
        (name, (starts[first], starts[behind] - 1))
        for name, first, behind in tag_spans(text.tags or ())
    }
