"""How well logits answer what texts mean, through the runtime's own decoding.

The same measures judge the network in PyTorch after each epoch, the exported one, and its int8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.metrics import auroc, share, slot_scores
from models.mobilebert.heads import IntentReader, SlotsReader, energy
from models.mobilebert.labels import Labels, TopicsHead
from models.mobilebert.tokens import Encoding
from models.training.language.alignment import LabelledText, tag_spans
from models.training.language.examples import labels_of

Measures = dict[str, float]
"""By name; shares in [0, 1]."""

KEPT = 0.95
"""Share of texts in scope that must be kept where the recall of those outside is counted."""

LIKELY = 0.5
"""Probability from which a topic counts as one of a text's."""


@dataclass(frozen=True, slots=True)
class Logits:
    """What a network says about one text."""

    encoding: Encoding
    whole: npt.NDArray[np.float32] | None
    """[labels]"""

    words: npt.NDArray[np.float32] | None
    """[words, tags]"""


def measure(
    labels: Labels,
    texts: Sequence[LabelledText],
    found: Sequence[Logits],
    outside: str | None = None,
) -> Measures:
    """Scores of ``found`` against ``texts``; ``outside`` is the label of what is out of scope."""
    measures: Measures = {}
    intents: list[str] | None = None
    if labels.intent_head is not None:
        measures |= _scope(texts, found, outside)
        reader = IntentReader(labels.intent_head)
        intents = [reader.read(_whole(one))[0][0].name for one in found]
        rows = [i for i, text in enumerate(texts) if text.intent != outside]
        measures["accuracy"] = _share(intents[i] == texts[i].intent for i in rows)
    topics = labels.head(TopicsHead)
    if topics is not None:
        measures |= _topics(topics, texts, found)
    if labels.slots_head is not None:
        measures |= _slots(labels, texts, found, intents)
    return measures


def steps_of(texts: Sequence[LabelledText], outside: str | None = None) -> Measures:
    """What one text is worth in the measures that are shares of texts."""
    outer = sum(text.intent == outside for text in texts) if outside is not None else 0
    counts = {
        "accuracy": len(texts) - outer,
        "sentence": len(texts),
        "all right": len(texts),
        "out-of-scope recall": outer,
    }
    return {name: 1 / count for name, count in counts.items() if count}


def _whole(one: Logits) -> npt.NDArray[np.float32]:
    assert one.whole is not None
    return one.whole


def _share(flags: Iterable[bool]) -> float:
    return share(flags).value or 0.0


def _scope(texts: Sequence[LabelledText], found: Sequence[Logits], outside: str | None) -> Measures:
    inner = [energy(_whole(f)) for t, f in zip(texts, found, strict=True) if t.intent != outside]
    outer = [energy(_whole(f)) for t, f in zip(texts, found, strict=True) if t.intent == outside]
    if not inner or not outer:
        return {}
    threshold = float(np.quantile(inner, 1 - KEPT))
    return {
        "AUROC": auroc(inner, outer) or 0.0,
        "out-of-scope recall": _share(value < threshold for value in outer),
    }


def _topics(head: TopicsHead, texts: Sequence[LabelledText], found: Sequence[Logits]) -> Measures:
    gold, mine = [], []
    for text, one in zip(texts, found, strict=True):
        probabilities = 1 / (1 + np.exp(-_whole(one).astype(np.float64) / head.temperature))
        pairs = zip(head.labels, probabilities, strict=True)
        gold.append({(name, "") for name in labels_of(text)})
        mine.append({(name, "") for name, likely in pairs if likely >= LIKELY})
    return {
        "micro F1": slot_scores(gold, mine).f1.value or 0.0,
        "all right": _share(a == b for a, b in zip(gold, mine, strict=True)),
    }


def _slots(
    labels: Labels,
    texts: Sequence[LabelledText],
    found: Sequence[Logits],
    intents: list[str] | None,
) -> Measures:
    assert labels.slots_head is not None
    reader = SlotsReader(labels.slots_head, labels.intent_slots)
    gold, mine = [], []
    for row, (text, one) in enumerate(zip(texts, found, strict=True)):
        assert one.words is not None
        spans = reader.read(one.words, one.encoding, intents[row] if intents else None)
        mine.append({(span.name, (span.start, span.end)) for span in spans})
        gold.append({(name, (start, end)) for name, start, end in character_spans(text)})
    measures = {"slot F1": slot_scores(gold, mine).f1.value or 0.0}
    if intents is not None:
        measures["sentence"] = _share(
            a == b and intent == text.intent
            for a, b, intent, text in zip(gold, mine, intents, texts, strict=True)
        )
    return measures


def character_spans(text: LabelledText) -> set[tuple[str, int, int]]:
    """Name, first character and the one behind the last of each slot."""
    starts = [0]
    for word in text.words:
        starts.append(starts[-1] + len(word) + 1)
    return {
        (name, starts[first], starts[behind] - 1)
        for name, first, behind in tag_spans(text.tags or ())
    }
