"""A small encoder learns the token states and sentence vectors of a larger one.

The teacher is any BERT-family encoder with the same word pieces (all-MiniLM-L6-v2 for the shipped
base). Its states are computed once and kept on disk, so that every further epoch costs the student
alone. Layers between can be followed too, as in MobileBERT's feature-map transfer (Sun et al.
2020); the student's states are projected to the teacher's width, and the projection of the last
layer stays with the base: it makes the sentence vector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from models.errors import ModelError

TEACHER_BATCH = 64
STATISTICS_TOKENS = 200_000

SMALLEST_DEVIATION = 0.05
"""MiniLM has a nearly constant dimension; divided by its own deviation it would be all there is."""

POOL = 40
"""Batches that are sorted by length together."""

FILE = "teacher-{layer}.npy"


@dataclass(frozen=True, slots=True)
class TeacherStates:
    """States of a teacher's layers for some texts, on disk."""

    layers: Mapping[int, npt.NDArray[np.float16]]
    """By layer (its last one has the greatest number): [all tokens, width]."""

    offsets: npt.NDArray[np.int64]
    """First token of each text, and the number of all tokens behind them [texts + 1]."""

    def of(self, layer: int, text: int) -> npt.NDArray[np.float32]:
        """States of one text [tokens, width]."""
        first, behind = self.offsets[text : text + 2]
        return self.layers[layer][first:behind].astype(np.float32)

    def statistics(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation of each dimension [width], from tokens all over the texts."""
        states = self.layers[layer]
        every = max(1, len(states) // STATISTICS_TOKENS)
        sample = np.asarray(states[::every], np.float32)
        return (
            torch.from_numpy(sample.mean(0)),
            torch.from_numpy(sample.std(0)).clamp(min=SMALLEST_DEVIATION),
        )


def teach(
    teacher: nn.Module,
    texts: Sequence[Sequence[int]],
    layers: Sequence[int],
    folder: Path,
    report: Callable[[str], None],
) -> TeacherStates:
    """States of ``teacher`` for token ids of texts; taken from ``folder`` if they are there.

    A run that was broken off goes on where it stopped. Raises ModelError where ``folder`` holds
    the states of other texts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    width = int(teacher.config.hidden_size)
    marks = folder / "done.npy"
    shape = (int(offsets[-1]), width)
    if marks.exists():
        done = np.load(marks)
        if len(done) != len(texts) + 1 or int(done[-1]) != shape[0]:
            raise ModelError(f"{folder} holds a teacher's states of other texts: delete it")
    else:
        done = np.array([0] * len(texts) + [shape[0]], np.int64)
    files = {}
    for layer in layers:
        path = folder / FILE.format(layer=layer)
        files[layer] = (
            np.lib.format.open_memmap(path, mode="r+")
            if path.exists() and marks.exists()
            else np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
        )
    open_texts = [i for i in sorted(range(len(texts)), key=lambda i: len(texts[i])) if not done[i]]
    teacher.eval()
    for at in range(0, len(open_texts), TEACHER_BATCH):
        chunk = open_texts[at : at + TEACHER_BATCH]
        ids, mask = pad([texts[i] for i in chunk])
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            found = teacher(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        for layer, file in files.items():
            states = found.hidden_states[layer].float().numpy().astype(np.float16)
            for row, i in enumerate(chunk):
                file[offsets[i] : offsets[i + 1]] = states[row, : len(texts[i])]
        done[chunk] = 1
        if at // TEACHER_BATCH % 200 == 199:
            for file in files.values():
                file.flush()
            np.save(marks, done)
            report(f"teacher: {at + len(chunk)} of {len(open_texts)} texts")
    for file in files.values():
        file.flush()
    np.save(marks, done)
    return TeacherStates(files, offsets)


def pad(texts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask [texts, longest]; padding is 0."""
    ids = torch.zeros(len(texts), max(map(len, texts)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids, mask


class Student(nn.Module):
    """An encoder with a projection to the teacher's width for each layer that is followed."""

    def __init__(self, encoder: nn.Module, pairs: Mapping[int, int], width: int) -> None:
        """``pairs``: the teacher's layer for each layer of the student that follows one."""
        super().__init__()
        self.encoder = encoder
        self.pairs = dict(pairs)
        hidden = int(encoder.config.hidden_size)
        self.project = nn.ModuleDict({str(mine): nn.Linear(hidden, width) for mine in pairs})

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[int, torch.Tensor]:
        """Projected states by the student's layer, each [batch, tokens, width]."""
        found = self.encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        states = found.hidden_states
        return {mine: self.project[str(mine)](states[mine]) for mine in self.pairs}


class DistillationLoss:
    """Mean square and cosine of standardised token states, and the cosine of sentence vectors."""

    def __init__(self, student: Student, texts: Sequence[Sequence[int]], taught: TeacherStates):
        self._student = student
        self._texts = texts
        self._taught = taught
        self._statistics = {theirs: taught.statistics(theirs) for theirs in student.pairs.values()}
        self._last = max(student.pairs)

    def __call__(self, batch: Sequence[int]) -> torch.Tensor:
        """Loss over texts, given by their numbers."""
        ids, mask = pad([self._texts[i] for i in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = self._student(ids, mask)
        chosen = mask.bool()
        loss = torch.zeros(())
        for mine, theirs in self._student.pairs.items():
            mean, deviation = self._statistics[theirs]
            states = np.concatenate([self._taught.of(theirs, i) for i in batch])
            target = (torch.from_numpy(states) - mean) / deviation
            got = found[mine].float()[chosen]
            loss = loss + functional.mse_loss(got, target)
            loss = loss + 1 - functional.cosine_similarity(got, target).mean()
            if mine == self._last:
                rows = torch.nonzero(chosen)[:, 0]
                back = got * deviation + mean
                vectors = _means(back, rows, len(batch))
                wanted = _means(torch.from_numpy(states), rows, len(batch))
                loss = loss + 1 - functional.cosine_similarity(vectors, wanted).mean()
        return loss


def _means(states: torch.Tensor, rows: torch.Tensor, count: int) -> torch.Tensor:
    sums = torch.zeros(count, states.shape[1]).index_add(0, rows, states)
    return sums / torch.bincount(rows, minlength=count).unsqueeze(1)


def batches_of(texts: Sequence[Sequence[int]], tokens: int, rng: Random) -> list[list[int]]:
    """Numbers of texts in random batches of at most about ``tokens`` padded tokens."""
    order = list(range(len(texts)))
    rng.shuffle(order)
    found: list[list[int]] = []
    pool = POOL * 64
    for start in range(0, len(order), pool):
        batch: list[int] = []
        for i in sorted(order[start : start + pool], key=lambda i: len(texts[i])):
            if batch and (len(batch) + 1) * len(texts[i]) > tokens:
                found.append(batch)
                batch = []
            batch.append(i)
        found.append(batch)
    rng.shuffle(found)
    return found
