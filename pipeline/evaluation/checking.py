"""Everything that can be known to be wrong is told before hours of work begin."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import UNSET

from models.catalogue import find
from models.errors import ConfigurationError, SourceError
from models.mobilebert.labels import read_labels
from pipeline.configuration import Configuration
from pipeline.evaluation.labels import LabelledRecording
from pipeline.evaluation.mixing import CLEAN, Condition
from stages.sources.decoding import seconds


def make_conditions(noises: Sequence[str], ratios: Sequence[float]) -> tuple[Condition, ...]:
    """Clean, and every noise at every ratio. Raises ConfigurationError."""
    if bool(noises) != bool(ratios):
        missing = "--snr 6,12" if noises else "--noise FILE"
        raise ConfigurationError(f"--noise and --snr belong together; add {missing}")
    stems = [Path(noise).stem for noise in noises]
    for stem in stems:
        if stems.count(stem) > 1:
            raise ConfigurationError(f"--noise: two files are named {stem}; rename one")
    return (CLEAN, *(Condition(noise=n, snr=float(ratio)) for n in noises for ratio in ratios))


def check_names(settings: Configuration, recordings: Iterable[LabelledRecording]) -> None:
    """Raises ConfigurationError for an intent or slot that no understander has."""
    labels = [(u.model, read_labels(find(u.model))) for u in settings.understanders]
    models = ", ".join(model for model, _ in labels)
    intents = {
        name
        for _, label in labels
        if label.intent_head
        for name in label.intent_head.labels
        if name != label.intent_head.out_of_scope
    }
    slots = {name for _, label in labels if label.slots_head for name in label.slots_head.slots}
    for recording in recordings:
        label, where = recording.label, recording.where
        if not labels:
            if label.text is UNSET:
                raise ConfigurationError(
                    f"{where}: the configuration has no understander, so the label needs a text"
                )
            continue
        if label.intent and label.intent not in intents:
            raise ConfigurationError(
                f"{where}: unknown intent {label.intent}{_hint(label.intent, intents, models)}"
            )
        for name in label.slots or ():
            if name not in slots:
                raise ConfigurationError(
                    f"{where}: unknown slot {name}{_hint(name, slots, models)}"
                )


def check_sound(recordings: Iterable[LabelledRecording], conditions: Iterable[Condition]) -> float:
    """The length of all recordings in seconds. Raises SourceError for a broken recording, or a
    noise that is shorter than one."""
    noises = {c.noise: seconds(c.noise) for c in conditions if c.noise is not None}
    total = 0.0
    for recording in recordings:
        length = seconds(recording.path)
        total += length
        for noise, lasting in noises.items():
            if lasting < length:
                raise SourceError(
                    f"{noise}: the noise lasts {lasting:.1f} s, and {recording.path} "
                    f"{length:.1f} s; use a longer noise"
                )
    return total


def check_folder(folder: Path, what: str = "the report") -> None:
    """Make the folder of what is to be written. Raises ConfigurationError if that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: {what} can't be written there ({error.strerror}); choose another folder"
        ) from None


def default_jobs() -> int:
    """As many as there are cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hint(name: str, known: set[str], models: str) -> str:
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; {models} knows {', '.join(sorted(known)) or 'none'}"
