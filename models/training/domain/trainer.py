"""From a domain file to a version that the daemon can use, step by step.

Each step keeps what it has done in the work folder, so that a run that was broken off goes on
there, and what did not change since the last version is taken from it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from models.catalogue.trained import Trained, TrainedFacts
from models.domain import Domain
from models.mobilebert import LanguageModel
from models.mobilebert.labels import LABELS_FILE
from models.paths import expand
from models.training.domain.fast import FastHeads
from models.training.domain.features import base_hash
from models.training.domain.full import FullModel
from models.training.domain.recipe import content_hash, recipe_hash
from models.training.domain.speech import SpeechTarget
from models.training.domain.texts import TextMaker, other_ways, with_other_ways
from models.training.language.alignment import align
from models.training.language.evaluation import evaluate
from models.training.language.scopes import Scope

TRIAL = 300
"""Sentences that heads of an earlier version must read before they are taken again."""

TRIAL_LOSS = 0.03
"""How much worse than at their making they may read them."""

Mode = Literal["fast", "full"]
Report = Callable[[str, int, int], None]
"""Told the name of the step, how much of it is done, and of how much."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be trained, and how."""

    path: Path
    """The domain's file or folder."""

    root: Path
    """The folder that takes the versions."""

    base: Path
    """The base that fast heads sit on; full mode sorts foreign texts with it."""

    mode: Mode = "fast"
    full_base: str = "mobilebert-base"
    """What full mode starts from: a model that intentd knows, a folder, a name on Hugging Face."""

    scope: Scope = field(default_factory=Scope)
    speech: SpeechTarget | None = None
    seed: int = 0
    jobs: int = 2
    sentences: int | None = None
    """How many to learn from in fast mode; None: as many as the number of intents asks for."""

    again: bool = False
    """Make new heads, though nothing changed."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run made."""

    folder: Path
    facts: TrainedFacts
    reused: bool
    """Whether the understander is that of the version before."""

    notes: tuple[str, ...] = ()
    """What a person should know."""


def train(job: Job, report: Report) -> Result:
    """Train the understander, compile the grammar, and put the version in use.

    Raises DomainError and ModelError; what was in use before then stays in use.
    """
    domain = Domain.load(job.path)
    trained = Trained(job.root)
    with trained.locked():
        run = _Run(job, domain, trained, report)
        result = run.finish()
        shutil.rmtree(trained.work, ignore_errors=True)
    return result


class _Run:
    """One run of ``train``."""

    def __init__(self, job: Job, domain: Domain, trained: Trained, report: Report) -> None:
        self._job = job
        self._domain = domain
        self._trained = trained
        self._report = report
        self._base = _weights_hash(job)
        self._recipe = recipe_hash(
            domain, f"{job.mode} {self._base} {job.sentences} {_other(job)}", job.seed
        )
        self._number = trained.next_number()
        # Beside the versions, since that is where heads look for their base.
        self._making = trained.root / ".making"
        shutil.rmtree(self._making, ignore_errors=True)
        self._making.mkdir()

    def finish(self) -> Result:
        """Do all steps."""
        folder, facts = self._trained.version, self._trained.facts()
        usable = facts is not None and facts.recipe == self._recipe and not self._job.again
        scores = None
        if usable and folder is not None and facts is not None:
            scores = self._take(folder, facts)
        reused = scores is not None
        if scores is None:
            scores = self._learn()
        notes: list[str] = []
        speech = None
        if self._job.speech is not None:
            old = (folder / "grammar", facts.speech) if folder and facts else None
            speech = self._job.speech.compile(
                self._domain, self._making / "grammar", old, notes, self._report
            )
        made = TrainedFacts(
            domain=self._domain.name,
            number=self._number,
            mode=self._job.mode,
            recipe=self._recipe,
            content=content_hash(self._job.path),
            base=self._base,
            speech=speech,
            scores=scores,
        )
        place = self._trained.publish(self._making, made)
        return Result(folder=place, facts=made, reused=reused, notes=tuple(notes))

    def _take(self, folder: Path, facts: TrainedFacts) -> dict[str, float] | None:
        """The understander of the version before, if it reads the changed lists about as well."""
        for path in folder.iterdir():
            if path.is_file():
                shutil.copyfile(path, self._making / path.name)
        labels = msgspec.json.decode((folder / LABELS_FILE).read_bytes())
        labels["version"] = str(self._number)
        text = msgspec.json.format(msgspec.json.encode(labels), indent=1)
        (self._making / LABELS_FILE).write_bytes(text + b"\n")
        found = self._trial("checking", seed=self._number)
        if found["sentence"] < facts.scores.get("sentence", 1.0) - TRIAL_LOSS:
            shutil.rmtree(self._making)
            self._making.mkdir()
            return None
        return {**facts.scores, **found}

    def _learn(self) -> dict[str, float]:
        job = self._job
        work = self._trained.work / self._recipe[:16]
        texts = TextMaker(
            self._domain,
            job.scope,
            job.seed,
            ways=with_other_ways(job.path),
            sentences=job.sentences,
        )
        if job.mode == "full":
            model = FullModel(
                self._domain,
                texts,
                job.full_base,
                work,
                sorter=job.base,
                seed=job.seed,
                jobs=job.jobs,
            )
            return model.train(self._making, number=self._number, report=self._report)
        heads = FastHeads(self._domain, texts, job.base, work, jobs=job.jobs)
        name = self._trained.keep_base(job.base, self._base)
        return heads.train(self._making, number=self._number, base_name=name, report=self._report)

    def _trial(self, step: str, seed: int) -> dict[str, float]:
        """How well what is being made reads some sentences of the domain as it is now."""
        self._report(step, 0, TRIAL)
        model = LanguageModel.load(self._making)
        texts = [align(example) for example in self._domain.sample(TRIAL, seed)]
        found = evaluate(model, texts, model.threshold or 0.0)
        self._report(step, TRIAL, TRIAL)
        whole = found.intent if found.sentence is None else found.sentence
        return {"intent": found.intent, "sentence": whole}


def _other(job: Job) -> str:
    """What else the training texts depend on."""
    ways = other_ways(job.path)
    return f"{content_hash(ways) if ways else None} {job.scope}"


def _weights_hash(job: Job) -> str:
    """Hash of a base's network; for full mode a mark of what it starts from."""
    if job.mode == "fast":
        return base_hash(job.base)
    folder = expand(job.full_base)
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    sizes = sorted((path.name, path.stat().st_size) for path in files)
    return f"{job.full_base} {sizes} {base_hash(job.base)}"
