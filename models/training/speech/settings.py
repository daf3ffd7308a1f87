"""The configuration file of a training run (YAML)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from models.training.configuration import read_configuration
from models.training.speech.augmentation import Augmentation

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=50)]


class SpeechSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manifest of speech."""

    manifest: Path
    weight: Count = 1
    """How often each of its utterances comes in an epoch: native speech is scarce."""

    augmentation: Augmentation | None = None
    """How it is changed, where not as the rest of the run; a manifest may be named twice for it.
    ``fresh_noise`` and ``masks`` are the run's for all."""


class NoiseSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manifest of noise."""

    manifest: Path
    weight: Positive = 1.0
    """How often a second of it is drawn, beside a second of the others."""

    exclude: tuple[str, ...] = ()
    """Words in the transcript (the name of the noise) that keep it out, for tests."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network."""

    width: Count = 320
    dilations: tuple[Count, ...] = (1, 1, 1, 2, 2, 3)
    """Of each layer behind the first, in frames of 30 ms."""

    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long and how fast."""

    epochs: Count = 20
    minutes: Positive | None = None
    """End after so many minutes of training at most, those before an interruption counted."""

    learning_rate: Positive = 2e-3
    warm_up: Count = 300
    """Steps in which the learning rate rises; it falls as a cosine after."""

    batch_frames: Count = 7200
    """Frames of 10 ms in a batch."""

    checkpoint_minutes: Positive = 5.0
    evaluate_minutes: Positive = 5.0
    threads: Annotated[int, msgspec.Meta(ge=0)] = 0
    """CPU threads; 0 leaves it to torch."""

    denominator: Share = 0.0
    """Share of maximum mutual information in the loss, the rest is CTC: 0 for a network that
    begins from nothing, 0.9 at a tenth of the learning rate for one that has been trained."""

    device: str = "auto"
    """``auto`` (a GPU if there is one), ``cpu`` or ``cuda``."""

    half: bool = True
    """bfloat16 in the convolutions: twice as fast where the processor has it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about a run."""

    out: Path
    """Folder of checkpoint, log, plot and ``final.mdl``."""

    cache: Path
    """Folder of features; several runs may share it."""

    speech: Annotated[tuple[SpeechSource, ...], msgspec.Meta(min_length=1)]
    noise: tuple[NoiseSource, ...] = ()
    seed: int = 1
    held_out: Percent = 5
    """Percentage of speakers that are held out."""

    clatter_minutes: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Minutes of noise of a kitchen that are generated, beside the recorded noise."""

    copies: Count = 4
    """Changed copies of all speech; epochs take them in turn."""

    augmentation: Augmentation = Augmentation()
    network: Shape = Shape()
    training: Schedule = Schedule()
    initial: Path | None = None
    """Checkpoint or ``final.mdl`` to begin with, of the same shape or a smaller one."""

    blank_bonus: float = 3.0
    """Subtracted from the blank's log-probability in ``final.mdl``: a CTC network gives the blank
    too much, which loses phones. The more, the more phones are heard in noise that are not there:
    choose it on commands both clean and noisy."""


def read_settings(path: Path) -> Settings:
    """Read a configuration; paths in it are relative to it. Raises ConfigurationError."""
    settings: Settings = read_configuration(path, Settings, _path)
    return _resolve(settings, path.parent)


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError("must be a path")


def _resolve(settings: Settings, folder: Path) -> Settings:
    replace = msgspec.structs.replace
    return replace(
        settings,
        out=folder / settings.out,
        cache=folder / settings.cache,
        initial=folder / settings.initial if settings.initial else None,
        speech=tuple(replace(s, manifest=folder / s.manifest) for s in settings.speech),
        noise=tuple(replace(n, manifest=folder / n.manifest) for n in settings.noise),
    )
