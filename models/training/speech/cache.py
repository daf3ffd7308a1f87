"""Features on disk, in shards that are made once.

A shard is an uncompressed ``.npz`` of some hundred utterances: ``features`` float16 [frames of all
utterances, 40], ``frames`` int32 [utterances], ``labels`` int16 [labels of all utterances],
``counts`` int32 [utterances], and ``problems`` (recordings left out, with the reasons). Its name
holds a hash of everything that it was made from. Making a cache that was broken off, also by
SIGKILL or a full disk, goes on behind the last whole shard. An hour of speech takes 29 MB.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.training.speech.audio import AudioError, Samples, read_speech
from models.training.speech.features import log_mel, output_frames
from models.training.speech.manifest import Problem, Problems, Utterance

SHARD = 250
"""Utterances in a shard: about half a minute of work that is lost at most."""

BABBLE = 3
"""Other recordings of the shard that are offered for babble."""

FORMAT = 1

_ARRAYS = ("features", "frames", "labels", "counts")
_DAMAGED = (OSError, ValueError, KeyError, BadZipFile, EOFError, zlib.error)

Change = Callable[[Samples, np.random.Generator, Sequence[Samples]], Samples]
"""Changes a waveform: samples, generator, other recordings."""


@dataclass(frozen=True, slots=True)
class Example:
    """One utterance as the network sees it."""

    features: NDArray[np.float16]
    """[frames of 10 ms, 40]."""

    labels: NDArray[np.int64]
    """[phones]."""


@dataclass(frozen=True)
class FeatureCache:
    """A folder of shards for one list of utterances."""

    folder: Path
    name: str
    """What the shards' names begin with: ``training-copy1``."""

    utterances: Sequence[Utterance]
    change: Change | None
    """How waveforms are changed; None keeps them."""

    recipe: str
    """Describes ``change`` and its seed: another text makes other shards."""

    def make(self, report: Callable[[str], None] = lambda _: None) -> None:
        """Make the shards that are missing; raises ModelError if they can't be written."""
        missing = [(path, part) for path, part in self._shards() if not _is_whole(path)]
        for number, (path, part) in enumerate(missing, start=1):
            self._make_shard(path, part)
            report(f"{self.name}: {number} of {len(missing)} shards made")

    def read(self, problems: Problems | None = None) -> list[Example]:
        """All utterances; ``make`` must have been called.

        A shard that was damaged since then is left out, named in ``problems``, and deleted, so that
        the next start makes it anew.
        """
        found: list[Example] = []
        for path, _ in self._shards():
            try:
                with path.open("rb") as file, np.load(file) as shard:
                    found += _examples(*(shard[name] for name in _ARRAYS))
            except _DAMAGED as error:
                path.unlink(missing_ok=True)
                if problems is not None:
                    problems.add(str(path), f"damaged features: {error}")
        return found

    def problems(self) -> set[Problem]:
        """Recordings that were left out; ``make`` must have been called."""
        found = set()
        for path, _ in self._shards():
            with np.load(path) as shard:
                found |= {Problem(str(place), str(why)) for place, why in shard["problems"]}
        return found

    def _shards(self) -> Iterator[tuple[Path, Sequence[Utterance]]]:
        for start in range(0, len(self.utterances), SHARD):
            part = self.utterances[start : start + SHARD]
            text = repr((FORMAT, self.recipe, [(str(u.audio), u.labels) for u in part]))
            key = hashlib.sha256(text.encode()).hexdigest()[:16]
            yield self.folder / f"{self.name}-{start // SHARD:04d}-{key}.npz", part

    def _make_shard(self, path: Path, part: Sequence[Utterance]) -> None:
        rng = np.random.default_rng([int(digit, 16) for digit in path.stem.split("-")[-1]])
        problems = Problems()
        recordings: list[tuple[Utterance, Samples]] = []
        for utterance in part:
            try:
                recordings.append((utterance, read_speech(utterance.audio)))
            except AudioError as error:
                problems.add(str(utterance.audio), str(error))
        made = []
        for utterance, samples in recordings:
            changed = samples
            if self.change is not None:
                drawn = rng.integers(len(recordings), size=BABBLE)
                changed = self.change(samples, rng, [recordings[i][1] for i in drawn])
            features = log_mel(changed)
            if output_frames(len(features)) < len(utterance.labels) + 1:
                problems.add(str(utterance.audio), "too short for its transcript")
                continue
            made.append((features.astype(np.float16), utterance.labels))
        _write(path, made, problems)


def _write(
    path: Path,
    made: Sequence[tuple[NDArray[np.float16], tuple[int, ...]]],
    problems: Problems,
) -> None:
    empty = np.zeros((0, 40), np.float16)
    arrays = {
        "features": np.concatenate([empty, *(features for features, _ in made)]),
        "frames": np.array([len(features) for features, _ in made], np.int32),
        "labels": np.array([label for _, labels in made for label in labels], np.int16),
        "counts": np.array([len(labels) for _, labels in made], np.int32),
        "problems": np.array([(p.place, p.reason) for p in problems.found], np.str_).reshape(-1, 2),
    }
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ModelError(
            f"the feature cache {path.parent} can't be written: {error.strerror or error}; "
            "free some space and start again, what is made is kept"
        ) from None


def _is_whole(path: Path) -> bool:
    try:
        # NumPy leaves a file open that it opened itself and that is damaged.
        with path.open("rb") as file, np.load(file) as shard:
            return len(shard["problems"]) + len(shard["frames"]) >= 0
    except _DAMAGED:
        return False


def _examples(
    features: NDArray[np.float16],
    frames: NDArray[np.int32],
    labels: NDArray[np.int16],
    counts: NDArray[np.int32],
) -> Iterator[Example]:
    frame, label = 0, 0
    for length, count in zip(frames.tolist(), counts.tolist(), strict=True):
        yield Example(
            features[frame : frame + length],
            labels[label : label + count].astype(np.int64),
        )
        frame, label = frame + length, label + count
