"""The model card of a run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.mobilebert.labels import IntentHead, SlotsHead, TopicsHead
from models.mobilebert.network import Network
from models.training.language.finishing import Finished
from models.training.language.labelling import MODEL_FILE
from models.training.language.loop import Progress
from models.training.language.measures import Measures
from models.training.language.settings import Settings

TIMED_TOKENS = 16
TIMED_RUNS = 100


@dataclass(frozen=True, slots=True)
class Run:
    """What a card says about how a model was made."""

    settings: Settings
    config: Path
    progress: Progress


def write_card(run: Run, done: Finished) -> str:
    """The text of the card, Markdown."""
    settings = run.settings
    return "\n".join(
        [
            f"# {settings.name}",
            "",
            f"{_heads(done)} Version {settings.version}, language {settings.language}, "
            f"{size_of(done.folder)}, "
            f"{milliseconds(done.folder):.1f} ms for {TIMED_TOKENS} word pieces on one thread of "
            "the machine it was made on.",
            "",
            *data_lines(settings),
            *making_lines(run),
            "",
            "Logits of the exported fp32 network differ from PyTorch's by at most "
            f"{done.difference:.0e}.",
            "",
            "## Scores",
            "",
            *score_table(done.scores, done.full if done.int8 else {}),
            "",
        ]
    )


def data_lines(settings: Settings) -> list[str]:
    """The part on data."""
    lines = [f"- {line}" for line in settings.licences] or ["- data of the user's own"]
    return ["## Data", "", *lines, ""]


def making_lines(run: Run) -> list[str]:
    """The part on how the model was made."""
    progress, settings = run.progress, run.settings
    early = f" The best of {len(progress.scores)} was number {progress.best_epoch}."
    return [
        "## Making",
        "",
        "```",
        f"intentd train-language {run.config.as_posix()} --seed {settings.seed}",
        "```",
        "",
        f"{progress.step} steps in {max(1, round(progress.seconds / 60))} minutes, epochs: "
        f"{len(progress.scores) or progress.epoch}, seed {settings.seed}, from the base "
        f"`{Path(settings.base).name}`.{early if progress.scores else ''}",
    ]


def score_table(scores: Mapping[str, Measures], full: Mapping[str, Measures]) -> list[str]:
    """Scores by text, in percent, and those in fp32 below."""
    names = list(dict.fromkeys(name for measures in scores.values() for name in measures))
    rows = [(name, measures) for name, measures in scores.items()]
    rows += [(f"{name}, before int8", measures) for name, measures in full.items()]
    return [
        f"| texts | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
        *(
            f"| {name} | "
            + " | ".join(f"{100 * m[n]:.1f}" if n in m else "–" for n in names)
            + " |"
            for name, m in rows
        ),
    ]


def size_of(folder: Path) -> str:
    """Size of the network, and whether it is int8."""
    return f"{(folder / MODEL_FILE).stat().st_size / 1e6:.1f} MB"


def milliseconds(folder: Path) -> float:
    """Median time of one text of 16 word pieces, tokenization included."""
    network = Network.load(folder)
    text = " ".join(["the"] * (TIMED_TOKENS - 2))
    times: list[float] = []
    for _ in range(TIMED_RUNS):
        began = time.perf_counter()
        network.run(network.tokenizer.encode(text))
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def _heads(done: Finished) -> str:
    parts: Sequence[str] = [
        f"{len(head.labels)} intents or classes"
        if isinstance(head, IntentHead)
        else f"{len(head.labels)} topics, any number of them for a text"
        if isinstance(head, TopicsHead)
        else f"{len(head.slots)} slots or entities"
        for head in done.labels.heads
        if isinstance(head, IntentHead | TopicsHead | SlotsHead)
    ]
    return f"Reads {' and '.join(parts)}."
