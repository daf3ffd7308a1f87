"""The loss of joint intent and slots, classification and tagging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from models.mobilebert.labels import Labels
from models.training.language.batching import pad
from models.training.language.network import JointNetwork
from models.training.language.settings import Classify, Joint, Tag
from models.training.language.task_teacher import TaskTeacher, soft_loss

IGNORED = -100
"""Target of tokens that no tag belongs to."""

OUTSIDE_WEIGHT = 0.5
"""Weight of the loss that makes what is out of scope look like no label."""


@dataclass(frozen=True, slots=True)
class Target:
    """A text, ready for a batch."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    pieces: tuple[int, ...]
    tags: tuple[int, ...]
    text: str
    starts: tuple[int, ...]
    """First characters of the words that ``pieces`` begin."""


class TextLoss:
    """Distance of the network's outputs from the labels and, if there is one, from a teacher."""

    def __init__(self, settings: Joint | Classify | Tag, labels: Labels) -> None:
        """Raises ModelError where the teacher does not know the same labels."""
        self._settings = settings
        self._labels = labels.text_head is not None
        self._tags = labels.slots_head is not None
        teacher = settings.teacher
        self._teacher = None if teacher is None else TaskTeacher(teacher, labels)

    def __call__(self, network: JointNetwork, batch: Sequence[Target]) -> torch.Tensor:
        """Joint cross-entropy of a batch, and the distance from the teacher's logits."""
        ids, mask = pad([target.ids for target in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = [output.float() for output in network(ids, mask)]
        whole = outputs.pop(0) if self._labels else None
        words = outputs[0] if self._tags else None
        weight = self._settings.teacher_weight if self._teacher else 0.0
        loss = (1 - weight) * self._right(whole, words, batch)
        if self._teacher is not None:
            loss = loss + weight * self._taught(self._teacher, whole, words, batch)
        return loss

    def _right(
        self, whole: torch.Tensor | None, words: torch.Tensor | None, batch: Sequence[Target]
    ) -> torch.Tensor:
        """Distance from the labels and tags themselves."""
        loss = torch.zeros(()) if whole is None else self._text_loss(whole, batch)
        if words is not None:
            tags = torch.full(words.shape[:2], IGNORED, dtype=torch.long)
            for row, target in enumerate(batch):
                tags[row, list(target.pieces)] = torch.tensor(target.tags, dtype=torch.long)
            if bool((tags != IGNORED).any()):
                loss = loss + self._slots_weight * functional.cross_entropy(
                    words.flatten(0, 1), tags.flatten(), ignore_index=IGNORED
                )
        return loss

    def _taught(
        self,
        teacher: TaskTeacher,
        whole: torch.Tensor | None,
        words: torch.Tensor | None,
        batch: Sequence[Target],
    ) -> torch.Tensor:
        """Distance from what the teacher believes."""
        loss = torch.zeros(())
        taught = [teacher(target.text) for target in batch]
        if whole is not None:
            wanted = torch.stack([found.whole for found in taught if found.whole is not None])
            several = isinstance(self._settings, Classify) and self._settings.several
            loss = loss + soft_loss(whole, wanted, several=several)
        if words is not None:
            rows = [
                (words[row, piece], taught[row].words[start])
                for row, target in enumerate(batch)
                for start, piece in zip(target.starts, target.pieces, strict=True)
                if start in taught[row].words
            ]
            if rows:
                mine, theirs = (torch.stack(side) for side in zip(*rows, strict=True))
                loss = loss + self._slots_weight * soft_loss(mine, theirs)
        return loss

    @property
    def _slots_weight(self) -> float:
        return self._settings.slots_weight if isinstance(self._settings, Joint) else 1.0

    def _text_loss(self, logits: torch.Tensor, batch: Sequence[Target]) -> torch.Tensor:
        if isinstance(self._settings, Classify) and self._settings.several:
            wanted = torch.zeros_like(logits)
            for row, target in enumerate(batch):
                wanted[row, list(target.labels)] = 1.0
            return functional.binary_cross_entropy_with_logits(logits, wanted)
        inside = torch.tensor([bool(target.labels) for target in batch])
        loss = torch.zeros(())
        if bool(inside.any()):
            right = torch.tensor([target.labels[0] for target in batch if target.labels])
            loss = loss + functional.cross_entropy(logits[inside], right)
        if not bool(inside.all()):
            # Cross-entropy with equal shares for all labels (Hendrycks et al. 2019).
            even = -functional.log_softmax(logits[~inside], -1).mean()
            loss = loss + OUTSIDE_WEIGHT * even * (~inside).sum() / len(batch)
        return loss
