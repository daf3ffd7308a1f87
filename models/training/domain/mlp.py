"""Small heads, fitted by numpy: a hidden layer with a rectifier, softmax, Adam.

Decoupled weight decay as in Loshchilov and Hutter (2019), dropout on the inputs. An epoch's
order and dropout depend on seed and number of the epoch alone, so a run that was broken off goes
on to the very same weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Layer = tuple[Array, Array]
Gather = Callable[[npt.NDArray[np.intp]], Array]
"""Features [rows, inputs] of some rows."""

_BETA1, _BETA2, _EPSILON = 0.9, 0.99, 1e-8
_SPREAD_FLOOR = 1e-3
"""Least standard deviation that a feature is divided by."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a head is fitted."""

    hidden: int = 256
    epochs: int = 12
    batch: int = 128
    rate: float = 2e-3
    decay: float = 1e-3
    dropout: float = 0.2
    seed: int = 0


@dataclass(slots=True)
class State:
    """Everything that the next epoch needs."""

    epoch: int
    step: int
    arrays: list[Array]
    """Weights and biases, then Adam's first and second moments of them."""

    def save(self, path: Path) -> None:
        """Write to ``path`` so that it is there whole or not at all."""
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.savez(file, *self.arrays, at=np.array([self.epoch, self.step]))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> State | None:
        """What ``save`` wrote; None where there is nothing (whole)."""
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                epoch, step = (int(number) for number in file["at"])
                arrays = [file[f"arr_{index}"] for index in range(len(file.files) - 1)]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        return cls(epoch, step, arrays)


def moments(gather: Gather, rows: int, batch: int = 4096) -> tuple[Array, Array]:
    """Mean and standard deviation of each feature."""
    total = squares = np.zeros(1, np.float64)
    for at in range(0, rows, batch):
        block = gather(np.arange(at, min(at + batch, rows))).astype(np.float64)
        total = total + block.sum(axis=0)
        squares = squares + (block**2).sum(axis=0)
    mean = total / rows
    spread = np.sqrt(np.maximum(squares / rows - mean**2, 0.0))
    return mean.astype(np.float32), (spread + _SPREAD_FLOOR).astype(np.float32)


class Fitting:
    """One head in the making."""

    def __init__(
        self,
        gather: Gather,
        targets: npt.NDArray[np.intp],
        outputs: int,
        settings: Settings,
        weights: Array | None = None,
    ) -> None:
        """``weights`` [rows] say how much each row counts; all the same without."""
        self._gather = gather
        self._targets = targets
        self._outputs = outputs
        self._settings = settings
        self._weights = np.ones(len(targets), np.float32) if weights is None else weights
        self._mean, self._spread = moments(gather, len(targets))

    def run(
        self, state: State | None = None, after: Callable[[State, float], None] | None = None
    ) -> tuple[Layer, ...]:
        """Fit to the end, from ``state`` if given; ``after`` gets each epoch's state and loss."""
        state = state or self._first()
        while state.epoch < self._settings.epochs:
            loss = self._epoch(state)
            if after is not None:
                after(state, loss)
        weight, bias, *rest = state.arrays[: len(state.arrays) // 3]
        folded = weight / self._spread[:, np.newaxis]
        first = (folded, (bias - self._mean @ folded).astype(np.float32))
        return (first, *((rest[i], rest[i + 1]) for i in range(0, len(rest), 2)))

    def _first(self) -> State:
        settings, inputs = self._settings, len(self._mean)
        rng = np.random.default_rng(settings.seed)
        arrays = [
            rng.normal(0, np.sqrt(2 / inputs), (inputs, settings.hidden)).astype(np.float32),
            np.zeros(settings.hidden, np.float32),
            rng.normal(0, np.sqrt(1 / settings.hidden), (settings.hidden, self._outputs)).astype(
                np.float32
            ),
            np.zeros(self._outputs, np.float32),
        ]
        return State(0, 0, arrays + [np.zeros_like(array) for array in (*arrays, *arrays)])

    def _epoch(self, state: State) -> float:
        settings, rows = self._settings, len(self._targets)
        rng = np.random.default_rng((settings.seed, state.epoch))
        order = rng.permutation(rows)
        steps = settings.epochs * -(-rows // settings.batch)
        total = 0.0
        for at in range(0, rows, settings.batch):
            chosen = order[at : at + settings.batch]
            features = (self._gather(chosen) - self._mean) / self._spread
            if settings.dropout:
                kept = rng.random(features.shape, dtype=np.float32) >= settings.dropout
                features *= kept / np.float32(1 - settings.dropout)
            loss, gradients = self._gradients(features, chosen, state.arrays)
            state.step += 1
            self._update(state, gradients, settings.rate * (1 - (state.step - 1) / steps))
            total += loss
        state.epoch += 1
        return total / max(1, -(-rows // settings.batch))

    def _gradients(
        self, features: Array, chosen: npt.NDArray[np.intp], arrays: list[Array]
    ) -> tuple[float, list[Array]]:
        first, first_bias, second, second_bias = arrays[:4]
        hidden = np.maximum(features @ first + first_bias, 0.0)
        logits = hidden @ second + second_bias
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        rows, right = np.arange(len(chosen)), self._targets[chosen]
        weights = self._weights[chosen] / max(float(self._weights[chosen].sum()), 1e-6)
        loss = -float((np.log(np.maximum(logits[rows, right], 1e-12)) * weights).sum())
        logits[rows, right] -= 1.0
        logits *= weights[:, np.newaxis]
        back = (logits @ second.T) * (hidden > 0)
        return loss, [
            features.T @ back,
            back.sum(axis=0),
            hidden.T @ logits,
            logits.sum(axis=0),
        ]

    def _update(self, state: State, gradients: list[Array], rate: float) -> None:
        count = len(gradients)
        correct1, correct2 = 1 - _BETA1**state.step, 1 - _BETA2**state.step
        for index, gradient in enumerate(gradients):
            array, first, second = state.arrays[index::count]
            first += (1 - _BETA1) * (gradient - first)
            second += (1 - _BETA2) * (gradient * gradient - second)
            if array.ndim > 1:
                array *= np.float32(1 - rate * self._settings.decay)
            array -= (rate / correct1) * first / (np.sqrt(second / correct2) + _EPSILON)
