"""What a teacher says of texts, computed once and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.errors import ModelError
from models.training.language.batching import pad
from models.training.language.relations import KINDS, Projections

TEACHER_BATCH = 64
STATISTICS_TOKENS = 200_000
SAVED_EVERY = 200
"""Batches between two marks of what is done."""

SMALLEST_DEVIATION = 0.05
"""MiniLM has a nearly constant dimension; divided by its own deviation it would be all there is."""

STATES = "teacher-{layer}.npy"
ATTENTION = "teacher-attention.npy"
DONE = "done.npy"


@dataclass(frozen=True, slots=True)
class TeacherStates:
    """States of a teacher's layers for some texts, on disk."""

    layers: Mapping[int, npt.NDArray[np.float16]]
    """By layer (its last one has the greatest number): [all tokens, width]."""

    offsets: npt.NDArray[np.int64]
    """First token of each text, and the number of all tokens behind them [texts + 1]."""

    attention: npt.NDArray[np.float16] | None = None
    """Queries, keys and values of the last layer [all tokens, 3 x width], if asked for."""

    def of(self, layer: int, text: int) -> npt.NDArray[np.float32]:
        """States of one text [tokens, width]."""
        first, behind = self.offsets[text : text + 2]
        return self.layers[layer][first:behind].astype(np.float32)

    def attention_of(self, texts: Sequence[int], tokens: int) -> torch.Tensor:
        """Queries, keys and values of texts [texts, tokens, 3 x width]; 0 behind a text's end."""
        assert self.attention is not None
        found = np.zeros((len(texts), tokens, self.attention.shape[1]), np.float32)
        for row, text in enumerate(texts):
            first, behind = self.offsets[text : text + 2]
            found[row, : behind - first] = self.attention[first:behind]
        return torch.from_numpy(found)

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
    *,
    attention: bool = False,
) -> TeacherStates:
    """States of ``teacher`` for token ids of texts; taken from ``folder`` if they are there.

    A run that was broken off goes on where it stopped. Raises ModelError where ``folder`` holds
    the states of other texts, or none of the attention that is asked for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    tokens = int(offsets[-1])
    done = _marks(folder, len(texts), tokens)
    files = {STATES.format(layer=layer): int(teacher.config.hidden_size) for layer in layers}
    projections = Projections(teacher) if attention else None
    if projections is not None:
        files[ATTENTION] = KINDS * projections.width
    opened = {name: _open(folder, name, (tokens, width)) for name, width in files.items()}
    open_texts = [i for i in sorted(range(len(texts)), key=lambda i: len(texts[i])) if not done[i]]
    teacher.eval()
    for at in range(0, len(open_texts), TEACHER_BATCH):
        chunk = open_texts[at : at + TEACHER_BATCH]
        ids, mask = pad([texts[i] for i in chunk])
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            states = teacher(
                input_ids=ids, attention_mask=mask, output_hidden_states=True
            ).hidden_states
        found = {STATES.format(layer=layer): states[layer] for layer in layers}
        if projections is not None:
            found[ATTENTION] = projections.take()
        for name, file in opened.items():
            values = found[name].float().numpy().astype(np.float16)
            for row, i in enumerate(chunk):
                file[offsets[i] : offsets[i + 1]] = values[row, : len(texts[i])]
        done[chunk] = 1
        if at // TEACHER_BATCH % SAVED_EVERY == SAVED_EVERY - 1:
            _save(folder, opened, done)
            report(f"teacher: {at + len(chunk)} of {len(open_texts)} texts")
    _save(folder, opened, done)
    kept = {layer: opened[STATES.format(layer=layer)] for layer in layers}
    return TeacherStates(kept, offsets, opened.get(ATTENTION))


def _marks(folder: Path, texts: int, tokens: int) -> npt.NDArray[np.int64]:
    """Which texts are done, and behind them the number of tokens of all."""
    path = folder / DONE
    if not path.exists():
        return np.array([0] * texts + [tokens], np.int64)
    done: npt.NDArray[np.int64] = np.load(path)
    if len(done) != texts + 1 or int(done[-1]) != tokens:
        raise ModelError(f"{folder} holds a teacher's states of other texts: delete it")
    return done


def _open(folder: Path, name: str, shape: tuple[int, int]) -> npt.NDArray[np.float16]:
    path, begun = folder / name, (folder / DONE).exists()
    if begun and not path.exists():
        raise ModelError(f"{folder} lacks {name}: delete the folder to compute it anew")
    if begun:
        return np.lib.format.open_memmap(path, mode="r+")
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)


def _save(
    folder: Path, files: Mapping[str, npt.NDArray[np.float16]], done: npt.NDArray[np.int64]
) -> None:
    for file in files.values():
        assert isinstance(file, np.memmap)
        file.flush()
    np.save(folder / DONE, done)
