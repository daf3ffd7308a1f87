"""Texts of token ids, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import torch

from models.training.filling import fill

POOL = 40
"""Batches that are sorted by length together."""


def pad(texts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask [texts, longest]; padding is 0."""
    ids = torch.zeros(len(texts), max(map(len, texts)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids, mask


def batches_of(texts: Sequence[Sequence[int]], tokens: int, rng: Random) -> list[list[int]]:
    """Numbers of texts in random batches of at most about ``tokens`` padded tokens."""
    order = list(range(len(texts)))
    rng.shuffle(order)
    found: list[list[int]] = []
    pool = POOL * 64
    for start in range(0, len(order), pool):
        found += fill(order[start : start + pool], lambda i: len(texts[i]), tokens)
    rng.shuffle(found)
    return found
