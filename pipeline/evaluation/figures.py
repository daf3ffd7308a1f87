"""Figures of outcomes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from models.metrics import (
    Cost,
    Guess,
    LabelScores,
    Percentiles,
    Rate,
    Rejection,
    SlotScores,
    WordErrors,
    canonical,
    label_scores,
    percentiles,
    ratio,
    rejection,
    same_value,
    share,
    slot_scores,
    word_errors,
)
from pipeline.evaluation.outcome import Outcome, slot_ways

REJECTED = "(rejected)"
"""The label of an utterance that is no command."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How good it is under one condition. None where nothing is labelled for it."""

    condition: str
    recordings: int
    failures: int
    acceptance: Rate
    """Picovoice's rule, over the commands and what must be rejected."""

    acceptance_strict: Rate
    """The same, and no slot that isn't labelled."""

    false_accept_rate: Rate
    """Of what must be rejected, with the thresholds of the configuration."""

    false_reject_rate: Rate
    """Of the commands, with the thresholds of the configuration."""

    intents: LabelScores | None
    slots: SlotScores | None
    words: WordErrors | None
    rejection: Rejection | None
    latency_ms: dict[str, Percentiles]
    """Of each stage, and ``total``: from the endpoint decision to what was understood."""

    totals_ms: tuple[float, ...]
    """Every ``total``, for histograms."""

    real_time_factor: Rate
    """Seconds of work a second of audio, silence included; below 1 keeps up."""


def figures(condition: str, outcomes: Sequence[Outcome], cost: Cost) -> Figures:
    """Figures of the outcomes of one condition."""
    labelled = [o for o in outcomes if o.expected.intent is not UNSET]
    commands = [o for o in labelled if o.expected.intent is not None]
    others = [o for o in labelled if o.expected.intent is None]
    with_slots = [o for o in commands if o.expected.slots is not UNSET]
    texts = [(o.expected.text, o.actual.text) for o in outcomes if o.expected.text is not UNSET]
    totals = _totals(outcomes)
    return Figures(
        condition=condition,
        recordings=len(outcomes),
        failures=sum(o.failed for o in outcomes),
        acceptance=share(o.acceptance is True for o in labelled),
        acceptance_strict=share(o.acceptance_strict is True for o in labelled),
        false_accept_rate=share(o.actual.intent is not None for o in others),
        false_reject_rate=share(o.actual.intent is None for o in commands),
        intents=label_scores(
            [str(o.expected.intent or REJECTED) for o in labelled],
            [o.actual.intent or REJECTED for o in labelled],
        )
        if labelled
        else None,
        slots=slot_scores(
            [expected_slots(o) for o in with_slots], [actual_slots(o) for o in with_slots]
        )
        if with_slots
        else None,
        words=word_errors([text for text, _ in texts], [heard for _, heard in texts]),
        rejection=rejection([_guess(o) for o in labelled], cost),
        latency_ms=_latencies(outcomes, totals),
        totals_ms=tuple(round(total, 2) for total in totals),
        real_time_factor=ratio(
            [o.processing_seconds for o in outcomes], [o.audio_seconds for o in outcomes]
        ),
    )


def expected_slots(outcome: Outcome) -> list[tuple[str, str]]:
    """Name and value of each labelled slot."""
    slots = outcome.expected.slots or {}
    return [(name, canonical(value)) for name, value in slots.items()]


def actual_slots(outcome: Outcome) -> list[tuple[str, str]]:
    """Name and value of each slot that was found, written as labelled where it is the same."""
    found = []
    expected = outcome.expected.slots or {}
    for name, ways in slot_ways(outcome.actual.slots).items():
        right = name in expected and same_value(expected[name], ways)
        found.append((name, canonical(expected[name] if right else ways[0])))
    return found


def _guess(outcome: Outcome) -> Guess:
    return Guess(
        confidence=outcome.actual.confidence,
        wanted=outcome.expected.intent is not None,
        right=outcome.actual.guess == outcome.expected.intent,
    )


def _totals(outcomes: Sequence[Outcome]) -> list[float]:
    return [
        sum(ms for stage, ms in timings.items() if stage != "endpoint")
        for outcome in outcomes
        for timings in outcome.timings_ms
    ]


def _latencies(outcomes: Sequence[Outcome], totals: list[float]) -> dict[str, Percentiles]:
    times: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        for timings in outcome.timings_ms:
            for stage, ms in timings.items():
                times[stage].append(ms)
    times["total"] = totals
    found = {stage: percentiles(measured) for stage, measured in times.items()}
    return {stage: measured for stage, measured in found.items() if measured is not None}
