"""The result of an evaluation as one JSON document; ``docs/evaluation.md`` lists its keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET

from models.errors import ConfigurationError
from models.metrics import Cost, Rate
from pipeline.evaluation.causes import Cause, find_causes
from pipeline.evaluation.figures import Figures, actual_slots, expected_slots, figures
from pipeline.evaluation.mixing import Condition
from pipeline.evaluation.outcome import Outcome
from pipeline.events import timestamp

SCHEMA: Final = 1


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of voice2json's report, for the recordings as they are."""

    num_wavs: int
    num_words: int
    num_entities: int
    correct_transcriptions: int
    correct_intent_names: int
    correct_words: int
    correct_entities: int
    transcription_accuracy: float | None
    intent_accuracy: float | None
    entity_accuracy: float | None
    intent_entity_accuracy: float | None
    average_transcription_speedup: float | None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """All that an evaluation found."""

    schema: int = SCHEMA
    intentd: str
    """Version."""

    created: str
    data: str
    configuration: str
    models: dict[str, str]
    """Model ids by role, as in events."""

    thresholds: dict[str, float]
    """Threshold of each intent that has its own, and ``*`` for all others."""

    seed: int
    audio_seconds: float
    statistics: Statistics
    conditions: tuple[Figures, ...]
    """The first one is clean."""

    causes: tuple[Cause, ...]
    """Why recordings fail, what would help most first."""

    recordings: tuple[Outcome, ...]


def make_document(
    outcomes: Sequence[Outcome],
    conditions: Sequence[Condition],
    *,
    data: str,
    configuration: str,
    models: dict[str, str],
    thresholds: dict[str, float],
    seed: int,
    cost: Cost,
) -> Evaluation:
    """Put everything together."""
    clean = [outcome for outcome in outcomes if outcome.condition == conditions[0].name]
    by_condition = tuple(
        figures(c.name, [o for o in outcomes if o.condition == c.name], cost) for c in conditions
    )
    return Evaluation(
        intentd=metadata.version("intentd"),
        created=timestamp(time.time()),
        data=data,
        configuration=configuration,
        models=models,
        thresholds=thresholds,
        seed=seed,
        audio_seconds=sum(outcome.audio_seconds for outcome in clean),
        statistics=_statistics(clean, by_condition[0]),
        conditions=by_condition,
        causes=find_causes(outcomes),
        recordings=tuple(outcomes),
    )


def write_document(evaluation: Evaluation, path: Path) -> None:
    """Write the JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(evaluation), indent=1) + b"\n")


def read_document(path: Path) -> Evaluation:
    """Read it back. Raises ConfigurationError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path}: is no evaluation ({error}); make one with intentd evaluate --json"
        ) from error


def _rate(rate: Rate | None) -> float | None:
    return None if rate is None else rate.value


SCALARS: Mapping[str, Callable[[Figures], float | None]] = {
    "acceptance": lambda f: _rate(f.acceptance),
    "acceptance_strict": lambda f: _rate(f.acceptance_strict),
    "intent_accuracy": lambda f: _rate(f.intents.accuracy if f.intents else None),
    "intent_macro_f1": lambda f: _rate(f.intents.macro_f1 if f.intents else None),
    "slot_f1": lambda f: _rate(f.slots.f1 if f.slots else None),
    "slot_precision": lambda f: _rate(f.slots.precision if f.slots else None),
    "slot_recall": lambda f: _rate(f.slots.recall if f.slots else None),
    "correct_texts": lambda f: _rate(f.words.correct_texts if f.words else None),
    "wer": lambda f: _rate(f.words.wer if f.words else None),
    "cer": lambda f: _rate(f.words.cer if f.words else None),
    "false_accept_rate": lambda f: _rate(f.false_accept_rate),
    "false_reject_rate": lambda f: _rate(f.false_reject_rate),
    "real_time_factor": lambda f: _rate(f.real_time_factor),
    "latency_p95_ms": lambda f: f.latency_ms["total"].p95 if "total" in f.latency_ms else None,
}
"""Figures that a user may set a bar for."""

SMALLER_IS_BETTER = frozenset(
    {"wer", "cer", "false_accept_rate", "false_reject_rate", "real_time_factor", "latency_p95_ms"}
)


def _statistics(clean: Sequence[Outcome], found: Figures) -> Statistics:
    words, intents = found.words, found.intents
    pairs = [
        (set(expected_slots(o)), set(actual_slots(o)))
        for o in clean
        if o.expected.slots is not UNSET
    ]
    entities = sum(len(expected) for expected, _ in pairs)
    right = sum(len(expected & actual) for expected, actual in pairs)
    factor = found.real_time_factor.value
    return Statistics(
        num_wavs=len(clean),
        num_words=words.words if words else 0,
        num_entities=entities,
        correct_transcriptions=sum(o.correct_text is True for o in clean),
        correct_intent_names=int(intents.accuracy.numerator) if intents else 0,
        correct_words=words.hits if words else 0,
        correct_entities=right,
        transcription_accuracy=words.hits / words.words if words and words.words else None,
        intent_accuracy=intents.accuracy.value if intents else None,
        entity_accuracy=right / entities if entities else None,
        intent_entity_accuracy=found.acceptance.value,
        average_transcription_speedup=1 / factor if factor else None,
    )
