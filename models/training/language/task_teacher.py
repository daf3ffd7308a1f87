"""What a larger model, trained on the same labels, believes of a text: learned besides the labels.

Distillation of the task itself (Hinton et al. 2015): the student follows the teacher's logits,
softened by a temperature, for whole texts and for words. It sees changed texts too, of which the
labels alone say little.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from models.errors import ModelError
from models.mobilebert.labels import Head, Labels
from models.mobilebert.network import Network

TEMPERATURE = 2.0


class Taught(NamedTuple):
    """What the teacher says of a text."""

    whole: torch.Tensor | None
    """Logits of its labels [labels]."""

    words: dict[int, torch.Tensor]
    """Logits of the tags [tags] of each word, by its first character."""


class TaskTeacher:
    """The logits of a model folder, in the order of the labels of the one that learns."""

    def __init__(self, folder: Path, labels: Labels) -> None:
        """Raises ModelError where the folder holds no model of the same labels."""
        self._network = Network.load(folder)
        theirs = self._network.labels
        self._text = _order(folder, labels.text_head, theirs.text_head)
        self._tags = _order(folder, labels.slots_head, theirs.slots_head)

    def __call__(self, text: str) -> Taught:
        """Logits for one text, in the network's own eyes: it may cut it elsewhere."""
        encoding = self._network.tokenizer.encode(text)
        outputs = self._network.run(encoding)
        whole, words = None, {}
        if self._text is not None:
            name, order = self._text
            whole = torch.from_numpy(outputs[name][order])
        if self._tags is not None:
            name, order = self._tags
            rows = torch.from_numpy(outputs[name][:, order])
            words = {start: row for (start, _), row in zip(encoding.words, rows, strict=True)}
        return Taught(whole, words)


def soft_loss(mine: torch.Tensor, theirs: torch.Tensor, *, several: bool = False) -> torch.Tensor:
    """How far logits [rows, labels] are from the teacher's; labels exclude each other or not."""
    if several:
        return functional.binary_cross_entropy_with_logits(mine, torch.sigmoid(theirs))
    return TEMPERATURE**2 * functional.kl_div(
        functional.log_softmax(mine / TEMPERATURE, -1),
        functional.log_softmax(theirs / TEMPERATURE, -1),
        reduction="batchmean",
        log_target=True,
    )


def _order(
    folder: Path, mine: Head | None, theirs: Head | None
) -> tuple[str, npt.NDArray[np.intp]] | None:
    """Name of the teacher's output, and where in it each label of the student stands."""
    if mine is None:
        return None
    wanted = tuple(getattr(mine, "labels", ()))
    known = tuple(getattr(theirs, "labels", ()))
    if theirs is None or type(mine) is not type(theirs) or set(wanted) - set(known):
        odd = sorted(set(wanted) - set(known))
        about = f'no "{odd[0]}"' if odd else "another kind of labels"
        raise ModelError(f"the teacher {folder} knows {about}: train it on the same texts")
    return theirs.output, np.array([known.index(label) for label in wanted], np.intp)
