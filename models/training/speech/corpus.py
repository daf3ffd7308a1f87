"""All speech of a run: read from its manifests, split by speaker, as features of every copy."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from models.errors import ModelError
from models.training.speech.augmentation import ROOMS, Augmentation, Augmenter
from models.training.speech.cache import Example, FeatureCache
from models.training.speech.clatter import clatter
from models.training.speech.manifest import (
    Problems,
    Utterance,
    read_manifest,
    read_noises,
    read_rows,
)
from models.training.speech.noise import NoisePool
from models.training.speech.rooms import simulate_room
from models.training.speech.settings import Settings, SpeechSource
from models.training.speech.split import split
from models.training.speech.transcript import Pronouncer, words_of

Report = Callable[[str], None]

CLATTER_SECONDS = 15.0
"""Length of a piece of generated noise."""


@dataclass
class Corpus:
    """Speech to train on, as often changed as there are copies, and speech held out."""

    settings: Settings
    training: list[tuple[SpeechSource, Utterance]]
    """Utterances with what is to be done with them."""

    held_out: list[Utterance]
    problems: Problems = field(default_factory=Problems)

    @classmethod
    def read(cls, settings: Settings, pronouncer: Pronouncer | None = None) -> Corpus:
        """Read all manifests. Raises ModelError for one that can't be used at all."""
        corpus = cls(settings, [], [])
        pronouncer = pronouncer or Pronouncer()
        known: set[Path] = set()
        for source in settings.speech:
            rows = read_rows(source.manifest, Problems())
            pronouncer.prepare(
                words_of([row.cells["transcript"] for row in rows if not row.cells.get("phones")])
            )
            utterances = read_manifest(source.manifest, pronouncer, corpus.problems)
            training, held_out = split(utterances, settings.held_out)
            corpus.training += [(source, utterance) for utterance in training]
            if source.manifest not in known:
                corpus.held_out += held_out
            known.add(source.manifest)
        if not corpus.training:
            raise ModelError("all speakers are held out: lower held_out or add speakers")
        return corpus

    def make(self, report: Report) -> None:
        """Make all features that the cache lacks; notes what had to be left out."""
        self._held_out().make(report)
        settings = self.settings
        problems = Problems()
        noises = self.noises(problems)
        rng = np.random.default_rng(settings.seed)
        echoing = any(part.augmentation.room > 0 for part in self._copy(0))
        rooms = [simulate_room(rng) for _ in range(ROOMS if echoing else 0)]
        for number in range(settings.copies):
            for part in self._copy(number):
                part.cache(Augmenter(part.augmentation, noises, rooms)).make(report)
        bad = self._held_out().problems()
        for part in self._copy(0):
            bad |= part.cache().problems()
        self.problems.found += sorted(bad, key=lambda problem: problem.place) + problems.found

    def noises(self, problems: Problems) -> NoisePool:
        """Recorded and generated noise; recordings that can't be used go to ``problems``."""
        settings = self.settings
        paths = [
            (path, source.weight)
            for source in settings.noise
            for path in read_noises(source.manifest, problems, source.exclude)
        ]
        rng = np.random.default_rng([settings.seed, 1])
        pieces = round(settings.clatter_minutes * 60 / CLATTER_SECONDS)
        return NoisePool.read(
            paths, problems, [clatter(CLATTER_SECONDS, rng) for _ in range(pieces)]
        )

    def examples(self, epoch: int) -> list[Example]:
        """Examples of an epoch, each as often as its weight says, in the order of the seed.

        Raises ModelError if all features were damaged since they were made.
        """
        examples = [
            example
            for part in self._copy(epoch % self.settings.copies)
            for example in part.cache().read(self.problems)
        ]
        if not examples:
            raise ModelError(f"{self.settings.cache}: no features are left; start again")
        random.Random(f"{self.settings.seed}-{epoch}").shuffle(examples)
        return examples

    def held_out_examples(self) -> list[Example]:
        """Unchanged speech of the speakers held out."""
        return self._held_out().read()

    def _held_out(self) -> FeatureCache:
        return FeatureCache(self.settings.cache, "held-out", self.held_out, None, "unchanged")

    def _copy(self, number: int) -> list[_Part]:
        """A copy of all speech, in a part for each way to change it."""
        settings = self.settings
        ways: dict[bytes, tuple[Augmentation, list[Utterance]]] = {}
        for source, utterance in self.training:
            augmentation = source.augmentation or settings.augmentation
            # What is drawn while training doesn't change the shards.
            stored = msgspec.structs.replace(augmentation, fresh_noise=0.0, masks=0.0)
            way = ways.setdefault(msgspec.json.encode(stored), (augmentation, []))
            way[1].extend([utterance] * source.weight)
        noises = [
            (str(source.manifest), source.weight, source.exclude) for source in settings.noise
        ]
        parts = []
        for text, (augmentation, weighted) in ways.items():
            order = np.random.default_rng(settings.seed).permutation(len(weighted))
            recipe = (number, settings.seed, text.decode(), noises, settings.clatter_minutes)
            utterances = [weighted[index] for index in order]
            parts.append(_Part(settings.cache, number, augmentation, utterances, repr(recipe)))
        return parts


@dataclass(frozen=True)
class _Part:
    """Utterances that are changed in the same way."""

    folder: Path
    number: int
    augmentation: Augmentation
    utterances: list[Utterance]
    recipe: str

    def cache(self, change: Augmenter | None = None) -> FeatureCache:
        name = f"training-copy{self.number}"
        return FeatureCache(self.folder, name, self.utterances, change, self.recipe)
