"""A run from its configuration to a ``final.mdl``."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from models.errors import ConfigurationError, ModelError
from models.training.speech.cache import Example
from models.training.speech.checkpoint import (
    Progress,
    load_network,
    load_weights,
    write_checkpoint,
)
from models.training.speech.conversion import export
from models.training.speech.corpus import Corpus
from models.training.speech.denominator import phone_trigram
from models.training.speech.fitting import Fitting
from models.training.speech.growing import grow
from models.training.speech.log import RunLog
from models.training.speech.manifest import Problems
from models.training.speech.network import OUTPUTS, AcousticNetwork
from models.training.speech.restoring import restore
from models.training.speech.settings import Settings

CHECKPOINT = "checkpoint.pt"
ACOUSTICS = "final.mdl"

SAMPLE = 500
"""Utterances that the input's mean and deviation are taken from."""


def train(settings: Settings, echo: Callable[[str], None] = lambda _: None) -> Path:
    """Train, or go on with what was broken off; returns the path of the ``final.mdl``.

    Raises ModelError for manifests, checkpoints and disks that can't be used, ConfigurationError
    for a device that is not there.
    """
    device = choose_device(settings.training.device)
    if settings.training.threads:
        torch.set_num_threads(settings.training.threads)
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{settings.out} can't be made: {error.strerror}") from None
    log = RunLog(settings.out, echo)
    corpus = Corpus.read(settings)
    corpus.make(echo)
    network, progress, state = _begin(settings, corpus)
    network.to(device)

    def save(fitting: Fitting) -> None:
        try:
            write_checkpoint(
                settings.out / CHECKPOINT, network, fitting.optimiser, fitting.progress
            )
        except OSError as error:
            # The old checkpoint is still there, and space may be free again by the next one.
            log.add(step=fitting.progress.step, checkpoint_failed=error.strerror or str(error))

    noises = corpus.noises(Problems()).features() if settings.augmentation.fresh_noise else None
    fitting = Fitting(settings, network, progress, log, save, _trigram(settings, corpus), noises)
    if state is not None:
        fitting.optimiser.load_state_dict(state)
        log.rewind(progress.step)
    held_out = corpus.held_out_examples()
    if not progress.finished:
        _announce(corpus, held_out, log, network, device)
        # Numbers next to 0 slow some processors down tenfold.
        torch.set_flush_denormal(True)
        try:
            fitting.run(_reporting(corpus, log), held_out)
        finally:
            torch.set_flush_denormal(False)
    target = settings.out / ACOUSTICS
    _write(target, export([network], settings.blank_bonus))
    return target


def _reporting(corpus: Corpus, log: RunLog) -> Callable[[int], list[Example]]:
    """Examples of an epoch; what has to be left out by then goes to the log."""

    def examples(epoch: int) -> list[Example]:
        before = len(corpus.problems)
        found = corpus.examples(epoch)
        for problem in corpus.problems.found[before:]:
            log.add(note=f"left out: {problem.place}: {problem.reason}")
        return found

    return examples


def _trigram(settings: Settings, corpus: Corpus) -> torch.Tensor | None:
    if not settings.training.denominator:
        return None
    return phone_trigram((utterance.labels for _, utterance in corpus.training), OUTPUTS)


def choose_device(name: str) -> torch.device:
    """``auto`` is a GPU if there is one; raises ConfigurationError if the named one is missing."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros(1, device=name)
        return torch.device(name)
    except (RuntimeError, AssertionError):
        raise ConfigurationError(
            f"training.device: torch has no device {name!r} here; take auto or cpu"
        ) from None


def _begin(
    settings: Settings, corpus: Corpus
) -> tuple[AcousticNetwork, Progress, dict[str, object] | None]:
    """The network where the run stands, how far it is, and the optimiser's state."""
    torch.manual_seed(settings.seed)
    shape = settings.network
    network = AcousticNetwork(shape.width, shape.dilations, shape.dropout)
    path = settings.out / CHECKPOINT
    if path.exists():
        state = load_weights(path, network)
        return network, Progress(**state["progress"]), state["optimiser"]
    if settings.initial is not None:
        _take_initial(settings.initial, network, corpus, settings.seed)
    else:
        network.normalise(_sample(corpus, settings.seed))
    return network, Progress(), None


def _take_initial(path: Path, network: AcousticNetwork, corpus: Corpus, seed: int) -> None:
    first = restore(path, _sample(corpus, seed)) if path.suffix == ".mdl" else load_network(path)
    if first.dilations != network.dilations[: len(first.dilations)]:
        raise ModelError(
            f"{path} has the dilations {list(first.dilations)}: network.dilations must begin "
            f"with them, they are {list(network.dilations)}"
        )
    try:
        grow(first.state_dict(), network)
    except ModelError as error:
        raise ModelError(
            f"{path}: {error.message}: make network.width or .dilations larger"
        ) from error


def _sample(corpus: Corpus, seed: int) -> torch.Tensor:
    """Features of some utterances [frames, 40]."""
    examples = corpus.examples(0)
    chosen = random.Random(seed).sample(examples, min(SAMPLE, len(examples)))
    return torch.from_numpy(np.concatenate([e.features for e in chosen]).astype(np.float32))


def _announce(
    corpus: Corpus,
    held_out: list[Example],
    log: RunLog,
    network: AcousticNetwork,
    device: torch.device,
) -> None:
    for line in corpus.problems.report():
        log.add(note=line)
    log.add(
        note="begin",
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        device=str(device),
        utterances=sum(source.weight for source, _ in corpus.training),
        held_out=len(held_out),
        held_out_speakers=len({utterance.speaker for utterance in corpus.held_out}),
        left_out=len(corpus.problems),
    )


def _write(target: Path, content: bytes) -> None:
    partial = target.with_suffix(".part")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ModelError(
            f"{target} can't be written: {error.strerror}; free some space and start again"
        ) from None
