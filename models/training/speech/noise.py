"""Recorded noise in memory, and random pieces of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from models.training.speech.audio import AudioError, Samples, read_noise
from models.training.speech.manifest import Problems


class NoisePool:
    """Noises to draw pieces from, each in proportion to its length times its weight."""

    def __init__(self, noises: Sequence[Samples], weights: Sequence[float] | None = None) -> None:
        self._noises = [noise.astype(np.float16) for noise in noises]
        shares = np.array([len(noise) for noise in noises], float) * (weights or 1.0)
        self._shares = shares / shares.sum() if len(noises) else shares

    @classmethod
    def read(cls, paths: Iterable[tuple[Path, float]], problems: Problems) -> NoisePool:
        """Read recordings with their weights; those that can't be used go to ``problems``."""
        noises, weights = [], []
        for path, weight in paths:
            try:
                noises.append(read_noise(path))
                weights.append(weight)
            except AudioError as error:
                problems.add(str(path), str(error))
        return cls(noises, weights)

    def __len__(self) -> int:
        return len(self._noises)

    def draw(self, length: int, rng: np.random.Generator) -> Samples:
        """``length`` samples of a random noise from a random place on, repeated if it is short."""
        noise = self._noises[int(rng.choice(len(self._noises), p=self._shares))]
        start = int(rng.integers(len(noise)))
        return np.resize(np.roll(noise.astype(np.float32), -start), length)
