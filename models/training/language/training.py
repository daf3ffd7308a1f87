"""``intentd train-language``: one run, from its configuration to a model folder with a card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from models.mobilebert.tokens import WordTokenizer
from models.training.language.answering import train_answers
from models.training.language.distilling import distil
from models.training.language.examples import read_examples
from models.training.language.finishing import Finished, finish
from models.training.language.loop import Loop, Progress
from models.training.language.run_card import Run, write_card
from models.training.language.settings import (
    Answer,
    AnySettings,
    Classify,
    Distill,
    Joint,
    Tag,
)
from models.training.language.shrinking import describe
from models.training.language.starting import (
    CHECKPOINT,
    encoder_of,
    schedule_of,
    write_scores,
)
from models.training.language.text_task import TextTask


def train(settings: AnySettings, config: Path, report: Callable[[str], None]) -> Path:
    """Train as ``settings`` say, or go on where a run was broken off; returns the model folder.

    ``config`` is where they were read from, for the card. Raises ModelError for data, bases and
    checkpoints that don't fit.
    """
    with _prepared(settings):
        if isinstance(settings, Distill):
            return distil(settings, config, report)
        if isinstance(settings, Answer):
            return train_answers(settings, config, report)
        progress, done = _fit(settings, report, lambda _: None)
    write_scores(settings.out, {"int8": dict(done.scores), "fp32": dict(done.full)})
    card = write_card(Run(settings=settings, config=config, progress=progress), done)
    (done.folder / "README.md").write_text(card, encoding="utf-8")
    report(f"development: {describe(done.scores['development'])}")
    return done.folder


def fine_tune(settings: Joint | Classify | Tag, watch: Callable[[float], None]) -> Path:
    """The same for labelled texts, without a card; ``watch`` is told the share that is done."""
    with _prepared(settings):
        return _fit(settings, lambda _: None, watch)[1].folder


@contextmanager
def _prepared(settings: AnySettings) -> Iterator[None]:
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    torch.set_flush_denormal(True)
    settings.out.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _fit(
    settings: Joint | Classify | Tag,
    report: Callable[[str], None],
    watch: Callable[[float], None],
) -> tuple[Progress, Finished]:
    encoder = encoder_of(settings)
    task = TextTask(settings, WordTokenizer.load(settings.out, settings.max_tokens))
    tests = {name: read_examples(path) for name, path in settings.test.items()}
    for name, texts in tests.items():
        task.check(settings.test[name], texts)
    network = task.network(encoder)
    loop: Loop[object] = Loop(
        network,
        schedule_of(settings),
        checkpoint=settings.out / CHECKPOINT,
        report=report,
        watch=watch,
    )
    progress = loop.run(task.batches, task.loss, task.score)  # type: ignore[arg-type]
    return progress, finish(task, network, settings.out, tests, report)
