"""What the outputs of a language model mean: ``labels.json``, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from models.errors import ModelError
from models.mobilebert.head_kinds import (
    AnswerHead,
    AnyHead,
    EmbeddingHead,
    Head,
    IntentHead,
    Scope,
    SlotsHead,
    StatesHead,
    Text,
    TopicsHead,
)

__all__ = [
    "FORMAT",
    "LABELS_FILE",
    "OUTSIDE",
    "START",
    "AnswerHead",
    "EmbeddingHead",
    "Head",
    "IntentHead",
    "Labels",
    "Scope",
    "SlotsHead",
    "StatesHead",
    "TopicsHead",
    "read_labels",
    "tag_fault",
]

LABELS_FILE = "labels.json"
FORMAT = 1

OUTSIDE = "O"
"""Tag of a word that belongs to no slot."""

START = "<start>"
"""Key in ``transitions`` for the tag of the first word."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Kind = TypeVar("Kind", bound=Head)


class Labels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A checked ``labels.json``; its layout is described in ``models.mobilebert``."""

    format: int
    name: Name
    version: Text
    language: Text
    max_tokens: Annotated[int, msgspec.Meta(ge=4, le=512)]
    heads: tuple[AnyHead, ...]
    model: Text = "model.onnx"
    base: Text | None = None
    """Name of the model whose states the heads in ``heads.npz`` read, or name and version:
    ``mobilebert-base@1``, and then no other will do."""

    intent_slots: dict[str, tuple[str, ...]] | None = None

    @property
    def id(self) -> str:
        """Name and version: ``mobilebert-home@1``."""
        return f"{self.name}@{self.version}"

    def head(self, kind: type[Kind]) -> Kind | None:
        """The head of one kind, if there is one."""
        return next((head for head in self.heads if isinstance(head, kind)), None)

    @property
    def intent_head(self) -> IntentHead | None:
        """The head that scores intents, if there is one."""
        return self.head(IntentHead)

    @property
    def text_head(self) -> IntentHead | TopicsHead | None:
        """The head that scores whole texts, by intents or by topics, if there is one."""
        return self.intent_head or self.head(TopicsHead)

    @property
    def slots_head(self) -> SlotsHead | None:
        """The head that tags words, if there is one."""
        return self.head(SlotsHead)


def read_labels(folder: Path) -> Labels:
    """Read and check ``labels.json`` of a model folder.

    Raises ModelError, naming the file, where it is missing, is not JSON, has unknown or missing
    keys, or contradicts itself.
    """
    path = folder / LABELS_FILE
    try:
        labels = msgspec.json.decode(path.read_bytes(), type=Labels)
    except FileNotFoundError:
        raise ModelError(
            f"{path} is missing: a language model needs it to know what its outputs mean"
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not a labels file: {error}") from error
    fault = _fault_of(labels)
    if fault:
        raise ModelError(f"{path}: {fault}")
    return labels


def tag_fault(tags: Sequence[str]) -> str | None:
    """Say why a list of tags is no BIO scheme, or None if it is one."""
    for tag in tags:
        if tag != OUTSIDE and not (tag[:2] in ("B-", "I-") and len(tag) > 2):
            return f'"{tag}" is no BIO tag: write "O", "B-slot" or "I-slot"'
        if tag.startswith("I-") and f"B-{tag[2:]}" not in tags:
            return f'"{tag}" has no "B-{tag[2:]}" to follow: add it'
    if OUTSIDE not in tags:
        return 'the tags lack "O", which words outside all slots need'
    return None


def _fault_of(labels: Labels) -> str | None:
    """Say what is wrong with labels and how to mend it, or None if nothing is."""
    if labels.format != FORMAT:
        return f"format {labels.format} is not known, only {FORMAT}: take a newer intentd"
    if Path(labels.model).name != labels.model:
        return f'model must be a file name in the same folder, not "{labels.model}"'
    if labels.base is not None and Path(labels.base).name != labels.base:
        return f'base must be the name of a model, not the path "{labels.base}"'
    kinds = [type(head) for head in labels.heads]
    if not kinds or len(kinds) != len(set(kinds)):
        return "heads must hold at least one head, and of each kind not more than one of each"
    for head in labels.heads:
        fault = None
        if isinstance(head, IntentHead):
            fault = _repeated(head.labels) or _intent_fault(head)
        elif isinstance(head, TopicsHead):
            fault = _repeated(head.labels) or (None if head.labels else "labels are missing")
        elif isinstance(head, SlotsHead):
            fault = _repeated(head.labels) or _slots_fault(head)
        elif labels.base is not None:
            fault = "over a base there can be intent, topics and slots only: leave this head out"
        if fault:
            return f'head "{head.output}": {fault}'
    return _intent_slots_fault(labels)


def _repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return f'label "{name}" occurs twice: each label may occur once'
        seen.add(name)
    return None


def _intent_fault(head: IntentHead) -> str | None:
    if head.out_of_scope is not None and head.out_of_scope not in head.labels:
        return f'out_of_scope "{head.out_of_scope}" is not among the labels'
    if all(label == head.out_of_scope for label in head.labels):
        return "labels must name at least one intent"
    return None


def _slots_fault(head: SlotsHead) -> str | None:
    fault = tag_fault(head.labels)
    if fault:
        return fault
    for before, counts in (head.transitions or {}).items():
        for tag in (before, *counts):
            if tag not in head.labels and not (tag is before and tag == START):
                return f'transitions name "{tag}", which is not among the labels'
    return None


def _intent_slots_fault(labels: Labels) -> str | None:
    if labels.intent_slots is None:
        return None
    intents = labels.intent_head.labels if labels.intent_head else ()
    slots = labels.slots_head.slots if labels.slots_head else ()
    for intent, names in labels.intent_slots.items():
        if intent not in intents:
            return f'intent_slots names the intent "{intent}", which no head has'
        for name in names:
            if name not in slots:
                return f'intent_slots gives "{intent}" the slot "{name}", which no head has'
    return None
