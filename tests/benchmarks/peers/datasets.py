"""SNIPS and HWU64 in the parts that scores are published for, as texts with intent and slots."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.mobilebert.labels import OUTSIDE
from models.training.language.public_data import Raw, label_words, read_hwu64, read_snips
from models.training.language.spoken import written_words


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Words in lower case without punctuation, and what they mean."""

    text: str
    intent: str
    slots: tuple[tuple[str, int, int], ...]
    """Name, first character and the one behind the last."""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Texts for training and test."""

    name: str
    train: tuple[Text, ...]
    test: tuple[Text, ...]


def snips(folder: Path) -> Dataset:
    """``2017-06-custom-intent-engines`` (CC0): 13,784 texts for training, 700 for test."""
    return _dataset("SNIPS", read_snips(folder))


def hwu64(folder: Path) -> Dataset:
    """A fold of ``hwu_nlu_eval`` (CC BY 4.0): the folder of ``trainset`` and ``testset``."""
    return _dataset("HWU64", read_hwu64(folder))


def _dataset(name: str, parts: dict[str, list[Raw]]) -> Dataset:
    """Peers choose nothing by themselves: they get the development part to learn from, too."""
    return Dataset(
        name=name,
        train=tuple(map(_text, [*parts["train"], *parts["dev"]])),
        test=tuple(map(_text, parts["test"])),
    )


def _text(raw: Raw) -> Text:
    pieces, intent = raw
    labelled = label_words(pieces, intent, written_words)
    slots: list[tuple[str, int, int]] = []
    at = 0
    for word, tag in zip(labelled.words, labelled.tags or (), strict=True):
        end = at + len(word)
        if tag.startswith("B-"):
            slots.append((tag[2:], at, end))
        elif tag != OUTSIDE:
            slots[-1] = (tag[2:], slots[-1][1], end)
        at = end + 1
    return Text(text=labelled.text, intent=intent, slots=tuple(slots))
