"""What every run begins with: its encoder, its schedule, its folder."""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from models.mobilebert.tokens import TOKENIZER_FILE, WordTokenizer
from models.training.language.encoders import (
    base_encoder,
    copy_tokenizer_of,
    model_folder,
    new_encoder,
    set_dropout,
)
from models.training.language.loop import Schedule
from models.training.language.settings import Settings

CHECKPOINT = "checkpoint.pt"
SCORES = "scores.json"


def schedule_of(settings: Settings) -> Schedule:
    """How long and how fast a run goes."""
    return Schedule(
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        warm_up=settings.warm_up,
        fall_from=settings.warm_up,
        patience=settings.patience,
        minutes=settings.minutes,
    )


def encoder_of(settings: Settings) -> nn.Module:
    """The encoder that a run begins with; its tokenizer is put into the run's folder."""
    tokenizer = settings.out / TOKENIZER_FILE
    if settings.base == "scratch":
        copy_tokenizer_of(model_folder(settings.tokenizer), tokenizer)
        vocabulary = WordTokenizer.load(settings.out, settings.max_tokens).largest_id + 1
        encoder = new_encoder(settings.shape, vocabulary)
    else:
        encoder = base_encoder(settings.base, tokenizer)
    set_dropout(encoder, settings.dropout)
    return encoder


def write_scores(folder: Path, scores: object) -> None:
    """Write ``scores.json``."""
    (folder / SCORES).write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
