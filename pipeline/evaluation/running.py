"""A whole evaluation, from what a user asks for to the document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from models.catalogue import find
from models.domain import Domain
from models.errors import ConfigurationError
from models.metrics import Cost
from models.mobilebert.labels import read_labels
from pipeline.configuration import Configuration
from pipeline.evaluation.checking import check_names, check_sound, make_conditions
from pipeline.evaluation.document import Evaluation, make_document
from pipeline.evaluation.labels import load_data
from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.working import Job, Journal, work
from pipeline.loading import find_domain, load_configuration
from pipeline.understanding import threshold_of


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation that was checked and can begin."""

    job: Job
    data: str
    configuration: str
    audio_seconds: float

    @property
    def items(self) -> int:
        """Recordings times conditions."""
        return len(self.job.recordings) * len(self.job.conditions)

    def journal(self) -> Journal:
        """Where its outcomes are kept until it is complete."""
        return Journal.of(self.job)


def prepare(
    data: Path,
    configuration: str,
    *,
    noises: Sequence[str] = (),
    ratios: Sequence[float] = (),
    seed: int = 0,
    audio: Path | None = None,
    settings: Configuration | None = None,
) -> Prepared:
    """Load and check all that an evaluation needs. Raises IntentdError for anything wrong."""
    settings = settings or load_configuration(configuration)
    domain = Domain.load(find_domain(settings.domain)) if settings.domain else None
    recordings = load_data(data, audio=audio, domain=domain)
    conditions = make_conditions(noises, ratios)
    check_names(settings, recordings)
    return Prepared(
        job=Job(configuration=settings, recordings=recordings, conditions=conditions, seed=seed),
        data=str(data),
        configuration=configuration,
        audio_seconds=check_sound(recordings, conditions),
    )


def run(
    prepared: Prepared,
    *,
    jobs: int,
    cost: Cost,
    on_done: Callable[[Outcome], None],
    on_warning: Callable[[str], None],
) -> Evaluation:
    """Evaluate. An interrupted run goes on where it stopped. Raises IntentdError."""
    journal = prepared.journal()
    outcomes = work(prepared.job, journal, jobs=jobs, on_done=on_done, on_warning=on_warning)
    settings = prepared.job.configuration
    evaluation = make_document(
        outcomes,
        prepared.job.conditions,
        data=prepared.data,
        configuration=prepared.configuration,
        models=model_ids(settings),
        thresholds=thresholds(settings),
        seed=prepared.job.seed,
        cost=cost,
    )
    journal.remove()
    return evaluation


def model_ids(settings: Configuration) -> dict[str, str]:
    """Ids by role, as events name them."""
    from models.vosk.recogniser import identity

    ids = {"asr": identity(find(settings.transcriber.model))}
    for number, section in enumerate(settings.understanders):
        labels = read_labels(find(section.model))
        ids["nlu" if number == 0 else f"nlu{number + 1}"] = f"{labels.name}@{labels.version}"
    return ids


def thresholds(settings: Configuration) -> dict[str, float]:
    """Thresholds of the first understander, ``*`` for all intents without their own."""
    if not settings.understanders:
        return {}
    section = settings.understanders[0]
    return {"*": threshold_of(section), **section.thresholds}


def parse_ratios(text: str) -> tuple[float, ...]:
    """Signal-to-noise ratios as they are typed: ``6,9,12``. Raises ConfigurationError."""
    try:
        return tuple(dict.fromkeys(float(part) for part in text.split(",") if part.strip()))
    except ValueError:
        raise ConfigurationError(f"--snr: {text} is no list of numbers as 6,9,12") from None
