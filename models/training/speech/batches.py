"""Batches of utterances of about the same length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch

from models.training.filling import fill
from models.training.speech.cache import Example
from models.training.speech.features import BINS, STRIDE, Features, output_frames

POOL = 24
"""Batches that are sorted by length together: padding stays short, order stays random."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of some utterances."""

    features: torch.Tensor
    """float32 [batch, frames with context, 40]; ends repeat the first and last frame, as Vosk
    does."""

    labels: torch.Tensor
    """int64 [batch, longest]."""

    frames: torch.Tensor
    """Output frames of each utterance, int64 [batch]."""

    counts: torch.Tensor
    """Labels of each utterance, int64 [batch]."""

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        parts = (self.features, self.labels, self.frames, self.counts)
        return Batch(*(part.to(device, non_blocking=True) for part in parts))


def group(examples: Sequence[Example], batch_frames: int, rng: Random) -> list[list[Example]]:
    """Examples in random batches of at most ``batch_frames`` frames, padding counted."""
    order = list(examples)
    rng.shuffle(order)
    frames = sum(len(example.features) for example in order)
    pools = max(1, round(frames / (batch_frames * POOL)))
    size = -(-len(order) // pools)
    groups: list[list[Example]] = []
    for start in range(0, len(order), max(1, size)):
        pool = order[start : start + size]
        groups += fill(pool, lambda example: len(example.features), batch_frames)
    rng.shuffle(groups)
    return groups


def collate(
    examples: Sequence[Example],
    context: int,
    change: Callable[[Features], Features] = lambda features: features,
) -> Batch:
    """A batch; ``change`` is done to the features of each utterance."""
    frames = [output_frames(len(example.features)) for example in examples]
    longest = STRIDE * (max(frames) - 1) + 1
    features = np.empty((len(examples), longest + 2 * context, BINS), np.float32)
    labels = np.zeros((len(examples), max(len(e.labels) for e in examples)), np.int64)
    for row, example in enumerate(examples):
        values = change(example.features.astype(np.float32))
        end = min(context + len(values), features.shape[1])
        features[row, :context] = values[0]
        features[row, context:end] = values[: end - context]
        features[row, end:] = values[-1]
        labels[row, : len(example.labels)] = example.labels
    return Batch(
        torch.from_numpy(features),
        torch.from_numpy(labels),
        torch.tensor(frames),
        torch.tensor([len(example.labels) for example in examples]),
    )
