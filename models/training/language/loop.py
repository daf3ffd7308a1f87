"""The loop that every task of the language model trains in: seeded, stoppable, resumable.

Order and changes of the texts of an epoch depend on the seed and the epoch alone, and a checkpoint
holds network, optimiser and dropout's generator, so a run that was broken off ends with the same
weights as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Generic, TypeVar

import torch
from torch import nn

from models.errors import ModelError
from models.training.checkpoint import read_state, write_state

Batch = TypeVar("Batch")

REPORT_SECONDS = 20.0
BETAS = (0.9, 0.98)
MAX_NORM = 1.0
WEIGHT_DECAY = 0.01

EMBEDDING_ROWS = 10_000
"""Tables with at least so many rows are embeddings, which do not decay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long, how fast and when to write things down."""

    epochs: int
    learning_rate: float
    seed: int = 0
    warm_up: float = 0.06
    """Share of the steps in which the learning rate rises."""

    fall_from: float = 0.06
    """Share of the steps from which it falls, linearly to zero; it is constant in between."""

    patience: int | None = None
    """End after so many epochs without a better score; None: never early."""

    minutes: float | None = None
    """End after so many minutes of training, the rate falling accordingly."""

    checkpoint_seconds: float = 120.0

    def rate(self, done: float) -> float:
        """Learning rate at a share of the run in [0, 1]."""
        if done < self.warm_up:
            return self.learning_rate * done / self.warm_up
        if done < self.fall_from:
            return self.learning_rate
        return self.learning_rate * max(0.0, 1 - done) / (1 - self.fall_from)


@dataclass(slots=True)
class Progress:
    """How far a run is; part of its checkpoint."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    mean_loss: float | None = None
    best: float | None = None
    best_epoch: int = 0
    scores: list[float] = field(default_factory=list)
    finished: bool = False


class Loop(Generic[Batch]):
    """Trains one network in place; what ``run`` returns says how it went."""

    def __init__(
        self,
        network: nn.Module,
        schedule: Schedule,
        *,
        checkpoint: Path,
        report: Callable[[str], None],
        watch: Callable[[float], None] = lambda _: None,
    ) -> None:
        """``watch`` is told the share that is done, after every step."""
        self._watch = watch
        self._network = network
        self._schedule = schedule
        self._path = checkpoint
        self._report = report
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._optimiser = _optimiser(self._parameters, schedule.learning_rate)
        self._progress = Progress()
        self._best: dict[str, torch.Tensor] | None = None

    def run(
        self,
        batches_of: Callable[[int, Random], Sequence[Batch]],
        loss_of: Callable[[Batch], torch.Tensor],
        score: Callable[[], float] | None = None,
    ) -> Progress:
        """Train, from the checkpoint if there is one, and leave the best weights in the network.

        ``batches_of`` gives the batches of an epoch, all epochs about the same number; ``score``
        judges the network after each epoch, higher is better, and without it the last weights
        are the best. Raises ModelError where the checkpoint is of another run.
        """
        torch.manual_seed(self._schedule.seed)
        if self._path.exists():
            self._resume()
        state = self._progress
        while not state.finished and state.epoch < self._schedule.epochs:
            self._epoch(batches_of, loss_of)
            if not state.finished:
                state.epoch, state.batch = state.epoch + 1, 0
            if score is not None:
                self._judge(score())
            state.finished = state.finished or state.epoch == self._schedule.epochs
            self._save()
        if self._best is not None:
            self._network.load_state_dict(self._best)
        self._network.eval()
        return state

    def _epoch(
        self,
        batches_of: Callable[[int, Random], Sequence[Batch]],
        loss_of: Callable[[Batch], torch.Tensor],
    ) -> None:
        state, schedule = self._progress, self._schedule
        batches = batches_of(state.epoch, Random(f"{schedule.seed}/{state.epoch}"))
        total = len(batches) * schedule.epochs
        self._network.train()
        began, before = time.monotonic(), state.seconds
        reported = saved = began
        for batch in batches[state.batch :]:
            done = state.step / total
            if schedule.minutes is not None:
                done = max(done, state.seconds / 60 / schedule.minutes)
                if done >= 1:
                    state.finished = True
                    return
            self._step(batch, loss_of, schedule.rate(done))
            self._watch(done)
            now = time.monotonic()
            state.seconds = before + now - began
            if now - reported > REPORT_SECONDS:
                reported = now
                self._report(
                    f"epoch {state.epoch + 1} of {schedule.epochs}, {100 * done:.1f} % done, "
                    f"loss {state.mean_loss:.4f}, {state.seconds:.0f} s"
                )
            if now - saved > schedule.checkpoint_seconds:
                saved = now
                self._save()

    def _step(self, batch: Batch, loss_of: Callable[[Batch], torch.Tensor], rate: float) -> None:
        state = self._progress
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(batch)
        if not torch.isfinite(loss):
            raise ModelError(
                f"the loss is not finite at step {state.step}: lower learning_rate, then delete "
                f"{self._path}"
            )
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._parameters, MAX_NORM)
        self._optimiser.step()
        state.step, state.batch = state.step + 1, state.batch + 1
        value, mean = loss.item(), state.mean_loss
        state.mean_loss = value if mean is None else 0.98 * mean + 0.02 * value

    def _judge(self, score: float) -> None:
        state, patience = self._progress, self._schedule.patience
        state.scores.append(score)
        better = state.best is None or score > state.best
        if better:
            state.best, state.best_epoch = score, len(state.scores)
            self._best = {k: v.detach().clone() for k, v in self._network.state_dict().items()}
        self._report(
            f"epoch {len(state.scores)}: {100 * score:.2f} on the development part"
            + ("" if better else f"; best was {100 * (state.best or 0):.2f}")
        )
        if patience is not None and len(state.scores) - state.best_epoch >= patience:
            self._report(f"no better for {patience} epochs: ends early")
            state.finished = True

    def _save(self) -> None:
        state = {
            "weights": self._network.state_dict(),
            "best": self._best,
            "optimiser": self._optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "progress": {name: getattr(self._progress, name) for name in Progress.__slots__},
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_state(self._path, state)
        except OSError as error:
            raise ModelError(f"{self._path} can't be written: {error.strerror}") from error

    def _resume(self) -> None:
        state = read_state(self._path)
        try:
            self._network.load_state_dict(state["weights"])
            self._optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, ValueError, KeyError):
            raise ModelError(
                f"{self._path} is of a run with another network: delete it, or give another out"
            ) from None
        torch.set_rng_state(state["random"])
        self._best = state["best"]
        self._progress = Progress(**state["progress"])
        self._report(
            f"goes on from {self._path}: epoch {self._progress.epoch + 1}, "
            f"step {self._progress.step}"
        )


def _optimiser(parameters: Sequence[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """AdamW that leaves biases, norms and embeddings without decay."""

    def decays(parameter: nn.Parameter) -> bool:
        return bool(parameter.dim() == 2 and parameter.shape[0] < EMBEDDING_ROWS)

    groups = [
        {"params": [p for p in parameters if decays(p)], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in parameters if not decays(p)], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=BETAS, eps=1e-6, fused=True)
