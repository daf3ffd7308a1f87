"""Why recordings fail, sorted by what would help most.

Each failure gets the first cause in the chain that explains it: nothing was found in the audio,
it was cut in pieces, a word was misheard, a heard text was misunderstood, a right guess was
rejected. Failures with the same particular cause ("soy" was heard as "so") are counted together:
mending the largest group helps most. Within a group the nearest misses come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import UNSET

from models.metrics import Edit, accepted_strictly, canonical, edits, same_value
from pipeline.evaluation.outcome import Outcome, judge_meaning, slot_ways

CauseKind = Literal["nothing-heard", "cut", "misheard", "misunderstood", "rejected", "false-accept"]

HELP: Mapping[CauseKind, str] = {
    "nothing-heard": "lower segmenter.threshold, or speak up: no speech was found",
    "cut": "raise segmenter.endpoint_silence: a pause ended the utterance",
    "misheard": "a speech model or grammar that fits better, or a better microphone",
    "misunderstood": "train the understander with such sentences",
    "rejected": "lower the threshold: the best guess was right",
    "false-accept": "raise the threshold, or train with such sentences as not meant",
}
"""What may mend a cause."""


class SlotDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A slot of the label or of what was found; ``right`` where both agree."""

    name: str
    expected: str | None
    actual: str | None
    right: bool


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One failed recording under one condition."""

    audio: str
    condition: str
    words: tuple[Edit, ...]
    """How the heard words differ; empty where the words that were said are not known."""

    slots: tuple[SlotDifference, ...]
    distance: int
    """How many words and slots are wrong."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One cause and what fails of it."""

    kind: CauseKind
    what: str
    """The particular: ``"soy" heard as "so"``."""

    help: str
    failures: tuple[Failure, ...]


def find_causes(outcomes: Sequence[Outcome]) -> tuple[Cause, ...]:
    """Causes of all failures, the most frequent first."""
    failed = [(outcome, _failure(outcome)) for outcome in outcomes if outcome.failed]
    kinds = [_kind(outcome) for outcome, _ in failed]
    confusions = Counter(
        pair
        for (outcome, failure), kind in zip(failed, kinds, strict=True)
        if kind == "misheard"
        for pair in set(_particulars(outcome, failure))
    )
    groups: dict[tuple[CauseKind, str], list[Failure]] = {}
    for (outcome, failure), kind in zip(failed, kinds, strict=True):
        what = _what(kind, outcome, failure, confusions)
        groups.setdefault((kind, what), []).append(failure)
    causes = [
        Cause(
            kind=kind,
            what=what,
            help=HELP[kind],
            failures=tuple(sorted(members, key=lambda f: (f.distance, f.condition, f.audio))),
        )
        for (kind, what), members in groups.items()
    ]
    return tuple(sorted(causes, key=lambda c: (-len(c.failures), c.kind, c.what)))


def _kind(outcome: Outcome) -> CauseKind:
    label, actual = outcome.expected, outcome.actual
    if label.intent is None:
        return "false-accept"
    if actual.utterances == 0:
        return "nothing-heard"
    if actual.utterances > 1:
        return "cut"
    if _would_be_right(outcome):
        return "rejected"
    if outcome.read is not UNSET and outcome.correct_text is False:
        right = judge_meaning(label, outcome.read)[1]
        return "misheard" if right is not False else "misunderstood"
    # Without the words that were said, a slot with a wrong value was misheard most likely.
    return "misunderstood" if outcome.correct_text is True else "misheard"


def _would_be_right(outcome: Outcome) -> bool:
    """True when only the threshold stood against what was meant."""
    label, actual = outcome.expected, outcome.actual
    if label.intent is UNSET or actual.intent is not None:
        return False
    slots = None if label.slots is UNSET else label.slots
    return accepted_strictly(label.intent, slots, actual.guess, slot_ways(actual.guess_slots))


def _what(kind: CauseKind, outcome: Outcome, failure: Failure, confusions: Counter[str]) -> str:
    if kind == "misheard":
        found = list(_particulars(outcome, failure))
        return max(found, key=lambda one: confusions[one], default="other words")
    if kind == "rejected":
        return f"{outcome.expected.intent} guessed right, but below its threshold"
    if kind == "false-accept":
        return f"taken for {outcome.actual.intent}"
    if kind == "misunderstood":
        return _misunderstanding(outcome, failure)
    return {"cut": "cut into several utterances", "nothing-heard": "no speech found"}[kind]


def _misunderstanding(outcome: Outcome, failure: Failure) -> str:
    label, actual = outcome.expected, outcome.actual
    if label.intent is not UNSET and actual.intent != label.intent:
        return f"{label.intent} understood as {actual.intent or 'nothing'}"
    wrong = [slot for slot in failure.slots if not slot.right]
    return f"slot {wrong[0].name}" if wrong else "understood more than once"


def _particulars(outcome: Outcome, failure: Failure) -> Iterable[str]:
    for edit in failure.words:
        if edit.kind == "substitute":
            yield f"“{edit.expected}” heard as “{edit.actual}”"
        elif edit.kind == "delete":
            yield f"“{edit.expected}” not heard"
        elif edit.kind == "insert":
            yield f"“{edit.actual}” heard, not said"
    if failure.words:
        return
    if outcome.actual.intent is None:
        yield "heard as no command"
    for slot in failure.slots:
        if not slot.right and outcome.actual.intent is not None:
            yield f"slot {slot.name}: {slot.expected or 'none'} → {slot.actual or 'none'}"


def _failure(outcome: Outcome) -> Failure:
    text = outcome.expected.text
    words = () if text is UNSET else edits(text, outcome.actual.text)
    slots = tuple(_slots(outcome))
    wrong = sum(
        max(len(edit.expected.split()), len(edit.actual.split()))
        for edit in words
        if edit.kind != "equal"
    )
    return Failure(
        audio=outcome.audio,
        condition=outcome.condition,
        words=words,
        slots=slots,
        distance=wrong + sum(not slot.right for slot in slots),
    )


def _slots(outcome: Outcome) -> Iterable[SlotDifference]:
    if outcome.expected.slots is UNSET:
        return
    expected, found = outcome.expected.slots, slot_ways(outcome.actual.slots)
    for name in [*expected, *(name for name in found if name not in expected)]:
        wanted, ways = expected.get(name), found.get(name, ())
        right = wanted is not None and same_value(wanted, ways)
        yield SlotDifference(
            name=name,
            expected=None if wanted is None else str(wanted),
            actual=None if not ways else str(wanted) if right else canonical(ways[0]),
            right=right,
        )
