"""Labelled texts in files, as users and the readers of public corpora write them.

============  =====================================================================
``.ndjson``   ``{"text": "play jazz", "intent": "PlayMusic", "slots": [{"name":
              "genre", "start": 5, "end": 9}]}`` a line; ``intent`` or ``slots`` may
              be missing, and ``labels`` stands for several intents
``.csv``      a column ``text`` and one ``label``, several labels separated by ``|``
``.conll``    a word and its BIO tag a line, separated by a tab; texts by empty lines
============  =====================================================================
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from models.domain import Example
from models.domain.example import ExampleSlot
from models.errors import DomainError, ModelError
from models.mobilebert.labels import OUTSIDE
from models.training.language.alignment import LabelledText, align

_TAG = re.compile(r"O|[BI]-\S+")

SEVERAL = "|"
"""Between the labels of a text that has several."""


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slot or entity: characters ``start`` to ``end`` (exclusive)."""

    name: str
    start: int
    end: int


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of an ``.ndjson`` file; keys that are not known here are left alone."""

    text: str
    intent: str | None = None
    labels: tuple[str, ...] | None = None
    slots: tuple[Span, ...] | None = None


def read_examples(path: Path, kind: str | None = None) -> list[LabelledText]:
    """Read a file of one of the formats above, by its ending or ``kind``; none without words.

    ``intent`` holds the label, or several separated by ``|``, or nothing. Raises ModelError that
    names file and line.
    """
    readers: dict[str, Callable[[str, Path], Iterable[LabelledText]]] = {
        ".ndjson": _ndjson,
        ".jsonl": _ndjson,
        ".csv": _csv,
        ".conll": _conll,
    }
    reader = readers.get(kind or path.suffix)
    if reader is None:
        raise ModelError(f"{path}: give a file that ends in {', '.join(readers)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ModelError(f"{path} line {line} is not UTF-8 text: convert the file") from None
    found = [row for row in reader(text, path) if row.words]
    if not found:
        raise ModelError(f"{path} holds no texts: give a file with some")
    return found


def write_examples(path: Path, texts: Iterable[LabelledText]) -> int:
    """Write ``.ndjson``; returns how many."""
    count = 0
    with path.open("wb") as file:
        for text in texts:
            file.write(msgspec.json.encode(_row(text)) + b"\n")
            count += 1
    return count


def label_set(texts: Sequence[LabelledText]) -> tuple[str, ...]:
    """All labels, in alphabetical order."""
    return tuple(sorted({label for text in texts for label in labels_of(text)}))


def slot_set(texts: Sequence[LabelledText]) -> tuple[str, ...]:
    """Names of all slots, in alphabetical order."""
    tags = {tag for text in texts for tag in text.tags or ()}
    return tuple(sorted({tag[2:] for tag in tags if tag != OUTSIDE}))


def labels_of(text: LabelledText) -> list[str]:
    """The labels of a text."""
    return text.intent.split(SEVERAL) if text.intent else []


def check_known(
    path: Path, texts: Sequence[LabelledText], labels: Sequence[str], slots: Sequence[str]
) -> None:
    """Raise ModelError for a label or slot that the training part lacks."""
    for text in texts:
        for label in labels_of(text):
            if labels and label not in labels:
                raise ModelError(_unknown(path, text, "label", label))
        for tag in text.tags or ():
            if slots and tag != OUTSIDE and tag[2:] not in slots:
                raise ModelError(_unknown(path, text, "slot", tag[2:]))


def _unknown(path: Path, text: LabelledText, kind: str, name: str) -> str:
    return (
        f'{path}: "{text.text[:60]}" has the {kind} "{name}", which no text for training has: '
        "correct it, or give examples to train on"
    )


def _ndjson(content: str, path: Path) -> Iterator[LabelledText]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=Row)
        except msgspec.DecodeError as error:
            raise ModelError(f"{path} line {number} is not as expected: {error}") from None
        intent = SEVERAL.join(row.labels) if row.labels is not None else row.intent or ""
        if row.slots is None:
            yield LabelledText(tuple(row.text.split()), None, intent)
            continue
        spans = tuple(
            ExampleSlot(name=slot.name, start=slot.start, end=slot.end, value="")
            for slot in row.slots
        )
        try:
            yield align(Example(text=row.text, intent=intent, slots=spans))
        except DomainError as error:
            raise ModelError(f"{path} line {number}: {error.message}") from None


def _csv(content: str, path: Path) -> Iterator[LabelledText]:
    reader = csv.DictReader(content.splitlines())
    names = {name.strip().lower(): name for name in reader.fieldnames or () if name}
    for column in ("text", "label"):
        if column not in names:
            raise ModelError(f'{path} has no column "{column}": name it in the first line')
    try:
        for row in reader:
            text, label = row[names["text"]], row[names["label"]]
            if text is None or not label:
                raise ModelError(f"{path} line {reader.line_num} lacks a text or a label")
            labels = [part.strip() for part in label.split(SEVERAL)]
            yield LabelledText(tuple(text.split()), None, SEVERAL.join(labels))
    except csv.Error as error:
        raise ModelError(f"{path} line {reader.line_num} is not CSV: {error}") from None


def _conll(content: str, path: Path) -> Iterator[LabelledText]:
    words: list[str] = []
    tags: list[str] = []
    for number, line in enumerate([*content.split("\n"), ""], 1):
        parts = line.split("\t")
        if not line.strip():
            if words:
                yield LabelledText(tuple(words), tuple(tags), "")
            words, tags = [], []
        elif len(parts) < 2 or not _TAG.fullmatch(parts[-1].strip()):
            raise ModelError(f'{path} line {number} is not a word, a tab and a BIO tag: "{line}"')
        elif word := "".join(parts[0].split()):
            tag = parts[-1].strip()
            follows = tags and tags[-1][2:] == tag[2:] and tags[-1] != OUTSIDE
            # An I- tag that follows nothing begins an entity, as in the IOB1 scheme.
            tags.append(f"B-{tag[2:]}" if tag.startswith("I-") and not follows else tag)
            words.append(word)


def _row(text: LabelledText) -> Row:
    slots: list[Span] = []
    at = 0
    for word, tag in zip(text.words, text.tags or (OUTSIDE,) * len(text.words), strict=True):
        if tag.startswith("B-"):
            slots.append(Span(name=tag[2:], start=at, end=at + len(word)))
        elif tag.startswith("I-"):
            slots[-1] = msgspec.structs.replace(slots[-1], end=at + len(word))
        at += len(word) + 1
    several = SEVERAL in text.intent
    return Row(
        text=text.text,
        intent=None if several else text.intent or None,
        labels=tuple(labels_of(text)) if several else None,
        slots=None if text.tags is None else tuple(slots),
    )
