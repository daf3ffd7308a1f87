"""SNIPS and HWU64 as they are published: texts with intents, split for training and test."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

Row = tuple[str, str]
"""Text and intent."""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Texts with their intents."""

    name: str
    train: tuple[Row, ...]
    test: tuple[Row, ...]


def snips(folder: Path) -> Dataset:
    """``2017-06-custom-intent-engines`` (CC0): the full training files, and validation."""
    return Dataset(
        name="SNIPS",
        train=tuple(_snips(folder, "train_*_full.json")),
        test=tuple(_snips(folder, "validate_*.json")),
    )


def _snips(folder: Path, pattern: str) -> Iterator[Row]:
    for path in sorted(folder.glob(f"*/{pattern}")):
        for intent, rows in json.loads(path.read_bytes().decode("utf-8", "replace")).items():
            for row in rows:
                text = "".join(part["text"] for part in row["data"])
                yield " ".join(text.lower().split()), intent


def hwu64(folder: Path) -> Dataset:
    """A fold of ``hwu_nlu_eval`` (CC BY 4.0): the folder of ``trainset`` and ``testset``."""
    return Dataset(
        name="HWU64",
        train=tuple(_hwu64(folder / "trainset")),
        test=tuple(_hwu64(folder / "testset" / "csv")),
    )


def _hwu64(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter=";"):
                yield " ".join(row["answer_from_anno"].lower().split()), path.stem
