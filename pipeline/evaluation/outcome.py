"""What one recording gave under one condition, beside what it should give."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from models.metrics import accepted, accepted_strictly, plain
from pipeline.evaluation.chain import Heard
from pipeline.evaluation.labels import Label, LabelledRecording
from pipeline.evaluation.mixing import Condition
from pipeline.events import IntentEvent, TranscriptEvent, UtteranceEvent
from pipeline.expectations import ways_to_write
from stages.messages import Slot


class Utterance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One utterance of a recording."""

    text: str
    intent: str | None = None
    """The best guess."""

    confidence: float = 0.0
    slots: tuple[Slot, ...] = ()
    accepted: bool = False


class Meaning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was understood."""

    text: str
    """The words of all utterances, in order."""

    intent: str | None = None
    """The intent that was accepted; of several the most confident; None for a rejection."""

    slots: tuple[Slot, ...] = ()
    guess: str | None = None
    """The most confident intent, accepted or not."""

    confidence: float = 0.0
    """Confidence of ``guess``."""

    guess_slots: tuple[Slot, ...] = ()
    """The slots that came with a guess that was rejected."""

    utterances: int = 0
    commands: int = 0
    """Intents that were accepted: more than one means that an app would act more than once."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One recording under one condition."""

    audio: str
    """The recording's name in the data."""

    condition: str
    """Name of the condition."""

    expected: Label
    actual: Meaning
    acceptance: bool | UnsetType = UNSET
    """Picovoice's rule: intent and every labelled slot right, and nothing else accepted."""

    acceptance_strict: bool | UnsetType = UNSET
    """The same, and no other slot."""

    correct_text: bool | UnsetType = UNSET
    read: Meaning | UnsetType = UNSET
    """For failures: what would have been understood, had every word been heard right."""

    utterances: tuple[Utterance, ...] = ()
    timings_ms: tuple[dict[str, float], ...] = ()
    """Of each utterance."""

    audio_seconds: float
    processing_seconds: float
    errors: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """True when a labelled thing is wrong."""
        if self.acceptance is not UNSET:
            return not (self.acceptance and self.acceptance_strict)
        return self.correct_text is False


def judge(recording: LabelledRecording, condition: Condition, heard: Heard) -> Outcome:
    """Put what was heard beside what was expected."""
    label = recording.label
    outcome = Outcome(
        audio=recording.name,
        condition=condition.name,
        expected=msgspec.structs.replace(label, audio=UNSET),
        actual=Meaning(text=""),
        timings_ms=tuple(
            {name: ms for name, ms in event.timings_ms.items() if name != "publish"}
            for event in heard.events
        ),
        audio_seconds=heard.audio_seconds,
        processing_seconds=heard.processing_seconds,
        errors=heard.errors,
    )
    return judge_utterances(outcome, tuple(map(utterance, heard.events)))


def judge_utterances(outcome: Outcome, utterances: tuple[Utterance, ...]) -> Outcome:
    """``outcome`` with other utterances: as if they had been heard."""
    label = outcome.expected
    actual = meaning(utterances)
    right, strictly = judge_meaning(label, actual)
    return msgspec.structs.replace(
        outcome,
        utterances=utterances,
        actual=actual,
        acceptance=right,
        acceptance_strict=strictly,
        correct_text=UNSET if label.text is UNSET else plain(label.text) == plain(actual.text),
    )


def at_threshold(outcome: Outcome, threshold: float) -> Outcome:
    """``outcome``, had the understander had another threshold for every intent."""
    return judge_utterances(
        outcome,
        tuple(
            msgspec.structs.replace(u, accepted=u.intent is not None and u.confidence >= threshold)
            for u in outcome.utterances
        ),
    )


def judge_meaning(label: Label, actual: Meaning) -> tuple[bool | UnsetType, bool | UnsetType]:
    """Whether a meaning is accepted, by Picovoice's rule and strictly; UNSET if not labelled."""
    if label.intent is UNSET:
        return UNSET, UNSET
    slots = None if label.slots is UNSET else label.slots
    found = slot_ways(actual.slots)
    once = actual.commands <= 1
    return (
        once and accepted(label.intent, slots, actual.intent, found),
        once and accepted_strictly(label.intent, slots, actual.intent, found),
    )


def slot_ways(slots: tuple[Slot, ...]) -> dict[str, tuple[object, ...]]:
    """The ways to write the value of each slot, by name."""
    return {slot.name: ways_to_write(slot) for slot in slots}


def utterance(event: UtteranceEvent) -> Utterance:
    """What an event tells."""
    if isinstance(event, TranscriptEvent):
        return Utterance(text=event.text)
    return Utterance(
        text=event.text,
        intent=event.intent.name if event.intent else None,
        confidence=event.intent.confidence if event.intent else 0.0,
        slots=event.slots,
        accepted=isinstance(event, IntentEvent),
    )


def meaning(utterances: tuple[Utterance, ...]) -> Meaning:
    """One meaning from the utterances of a recording. Those that were rejected do no harm."""
    guesses = [u for u in utterances if u.intent is not None]
    guess = max(guesses, key=lambda u: u.confidence, default=None)
    commands = [u for u in guesses if u.accepted]
    best = max(commands, key=lambda u: u.confidence, default=None)
    return Meaning(
        text=" ".join(u.text for u in utterances),
        intent=best.intent if best else None,
        slots=best.slots if best else (),
        guess=guess.intent if guess else None,
        confidence=guess.confidence if guess else 0.0,
        guess_slots=guess.slots if guess and best is None else (),
        utterances=len(utterances),
        commands=len(commands),
    )
