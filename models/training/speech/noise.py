"""Noise in memory, as samples or features, and random pieces of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from models.training.speech.audio import AudioError, Samples, read_noise
from models.training.speech.features import log_mel
from models.training.speech.manifest import Problems


class NoisePool:
    """Noises to draw pieces from, each in proportion to its length times its weight.

    A noise is samples [time] or features [frames, 40].
    """

    def __init__(self, noises: Sequence[Samples], weights: Sequence[float] | None = None) -> None:
        self._noises = [noise.astype(np.float16) for noise in noises]
        self._weights = weights
        shares = np.array([len(noise) for noise in noises], float) * (weights or 1.0)
        self._shares = shares / shares.sum() if len(noises) else shares

    @classmethod
    def read(
        cls,
        paths: Iterable[tuple[Path, float]],
        problems: Problems,
        generated: Sequence[Samples] = (),
    ) -> NoisePool:
        """Read recordings with their weights; those that can't be used go to ``problems``."""
        noises, weights = list(generated), [1.0] * len(generated)
        for path, weight in paths:
            try:
                noises.append(read_noise(path))
                weights.append(weight)
            except AudioError as error:
                problems.add(str(path), str(error))
        return cls(noises, weights)

    def __len__(self) -> int:
        return len(self._noises)

    def features(self) -> NoisePool:
        """The same noises as log-mel energies."""
        return NoisePool(
            [log_mel(noise.astype(np.float32)) for noise in self._noises], self._weights
        )

    def draw(self, length: int, rng: np.random.Generator) -> Samples:
        """``length`` samples or frames of a random noise from a random place on, repeated if it is
        short."""
        noise = self._noises[int(rng.choice(len(self._noises), p=self._shares))]
        start = int(rng.integers(len(noise)))
        return noise.take(range(start, start + length), axis=0, mode="wrap").astype(np.float32)
