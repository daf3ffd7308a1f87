"""How well a new understander reads what it has not learned from, and its card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.domain import Domain
from models.mobilebert import LanguageModel
from models.training.domain.card import CARD, write_card
from models.training.domain.texts import Texts
from models.training.language.alignment import OUT_OF_SCOPE
from models.training.language.evaluation import evaluate, false_accepts


def judge(
    domain: Domain, folder: Path, texts: Texts, mode: str, report: Callable[[str, int, int], None]
) -> dict[str, float]:
    """Score the model in ``folder`` and write its card; returns the scores by name."""
    report("checking", 0, 1)
    model = LanguageModel.load(folder)
    threshold = model.threshold or 0.0
    held_out = evaluate(model, texts.held_out, threshold)
    foreign = [text.text for text in texts.calibration if text.intent == OUT_OF_SCOPE]
    scores = {
        "intent": held_out.intent,
        "sentence": held_out.intent if held_out.sentence is None else held_out.sentence,
        "accepted": held_out.accepted,
        "false_accepts": false_accepts(model, foreign, threshold) if foreign else 0.0,
        "threshold": threshold,
    }
    counts = (len(texts.train), len(texts.held_out), len(foreign))
    card = write_card(domain, model, scores, counts, mode)
    (folder / CARD).write_text(card, encoding="utf-8")
    report("checking", 1, 1)
    return scores
