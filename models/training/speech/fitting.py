"""The training loop: seeded, and resumed where it was killed.

Every draw depends on the seed and the number of the epoch or step alone. So a run that goes on
from a checkpoint makes the same steps as one that was never broken off (exactly the same on one
CPU thread, if no time limit is set).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import numpy as np
import torch

from models.errors import ModelError
from models.training.speech.augmentation import change_features
from models.training.speech.batches import collate, group
from models.training.speech.cache import Example
from models.training.speech.checkpoint import Progress
from models.training.speech.denominator import denominator
from models.training.speech.log import RunLog
from models.training.speech.loss import selfless_ctc
from models.training.speech.network import AcousticNetwork
from models.training.speech.noise import NoisePool
from models.training.speech.scoring import score
from models.training.speech.settings import Settings

MAX_NORM = 5.0
SCALE = 0.5
"""Scale of the acoustic scores against all phone sequences: that of decoding."""

WEIGHT_DECAY = 1e-3
LEAST_RATE = 0.02
"""Share of the learning rate that is left at the end."""

REPORT_STEPS = 20
MAX_BROKEN = 50
"""Steps in a row whose loss is no number, until the run gives up."""

_LONGEST_PAUSE = 60.0
"""Seconds between two steps that count as training; more means that the process was stopped."""


class Fitting:
    """Trains a network in place."""

    def __init__(
        self,
        settings: Settings,
        network: AcousticNetwork,
        progress: Progress,
        log: RunLog,
        save: Callable[[Fitting], None],
        trigram: torch.Tensor | None = None,
        noises: NoisePool | None = None,
    ) -> None:
        self.settings = settings
        self.network = network
        self.progress = progress
        self.device = next(network.parameters()).device
        self.optimiser = torch.optim.AdamW(
            network.parameters(),
            lr=settings.training.learning_rate,
            weight_decay=WEIGHT_DECAY,
            betas=(0.9, 0.98),
        )
        self._trigram = None if trigram is None else trigram.to(self.device)
        self._noises = noises or NoisePool([])
        self._log = log
        self._save = save
        self._saved = self._scored = progress.seconds
        self._losses: list[float] = []
        self._broken = 0

    def run(
        self, examples_of: Callable[[int], Sequence[Example]], held_out: Sequence[Example]
    ) -> None:
        """Train to the end; ``examples_of`` gives the utterances of each epoch.

        Raises ModelError if the loss stays without a value.
        """
        progress, training = self.progress, self.settings.training
        self.network.train()
        while progress.epoch < training.epochs and self._time() < 1:
            rng = Random(f"{self.settings.seed}-{progress.epoch}")
            batches = group(examples_of(progress.epoch), training.batch_frames, rng)
            while progress.batch < len(batches) and self._time() < 1:
                began = time.monotonic()
                self._step(batches[progress.batch], len(batches))
                progress.batch += 1
                progress.step += 1
                progress.seconds += min(time.monotonic() - began, _LONGEST_PAUSE)
                self._after_step(held_out)
            if progress.batch >= len(batches):
                progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.finished = True
        self._score(held_out)
        self._save(self)

    def _time(self) -> float:
        minutes = self.settings.training.minutes
        return self.progress.seconds / (60 * minutes) if minutes else 0.0

    def _rate(self, batches: int) -> float:
        """Learning rate: up in a line, down as a cosine over steps or time, whichever is ahead."""
        training, progress = self.settings.training, self.progress
        done = (progress.epoch + progress.batch / batches) / training.epochs
        done = min(1.0, max(done, self._time()))
        rise = min(1.0, (progress.step + 1) / training.warm_up)
        fall = 0.5 * (1 + math.cos(math.pi * done))
        return training.learning_rate * rise * (fall * (1 - LEAST_RATE) + LEAST_RATE)

    def _step(self, examples: Sequence[Example], batches: int) -> None:
        settings, step = self.settings, self.progress.step
        rate = self._rate(batches)
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = rate
        torch.manual_seed(settings.seed * 1_000_003 + step)
        rng = np.random.default_rng([abs(settings.seed), step])
        change = partial(change_features, self._noises, settings.augmentation, rng)
        batch = collate(examples, self.network.context, change).to(self.device)
        half = settings.training.half
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            scores = self.network(batch.features)
        losses = selfless_ctc(scores, batch.labels, batch.frames, batch.counts)
        if self._trigram is not None:
            share, scaled = settings.training.denominator, SCALE * scores
            right = selfless_ctc(scaled, batch.labels, batch.frames, batch.counts)
            everything = denominator(scaled, batch.frames, self._trigram)
            losses = (1 - share) * losses + share * (right + everything)
        loss = losses.sum() / batch.counts.sum()
        self.optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_NORM)
        if not torch.isfinite(norm) or not torch.isfinite(loss):
            self._note_broken()
            return
        self.optimiser.step()
        self._broken = 0
        self._losses.append(float(loss.detach()))

    def _note_broken(self) -> None:
        self._broken += 1
        self._log.add(step=self.progress.step, skipped="loss or gradient is no number")
        if self._broken >= MAX_BROKEN:
            raise ModelError(
                f"the loss was no number in {MAX_BROKEN} steps in a row: lower the learning rate"
            )

    def _after_step(self, held_out: Sequence[Example]) -> None:
        progress, training = self.progress, self.settings.training
        if progress.step % REPORT_STEPS == 0 and self._losses:
            mean = sum(self._losses) / len(self._losses)
            rate = self.optimiser.param_groups[0]["lr"]
            self._log.add(
                step=progress.step,
                epoch=progress.epoch,
                seconds=round(progress.seconds, 1),
                loss=mean,
                rate=rate,
            )
            self._losses = []
        if progress.seconds - self._scored >= 60 * training.evaluate_minutes:
            self._score(held_out)
        if progress.seconds - self._saved >= 60 * training.checkpoint_minutes:
            self._saved = progress.seconds
            self._save(self)

    def _score(self, held_out: Sequence[Example]) -> None:
        self._scored = self.progress.seconds
        scores = score(self.network, held_out, self.device)
        if scores is not None:
            self._log.add(
                step=self.progress.step,
                held_out_loss=scores.loss,
                phone_error_rate=scores.phone_error_rate,
            )
        self._log.plot()
