"""Answers to questions: yes or no, values, and what they add to what was said before."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET

from models.domain import Domain
from stages.messages import Slot, Transcript

_YES = (
    "yes|yeah|yep|yes please|sure|ok|okay|of course|do it|please do|right|correct|go ahead|"
    "that's right|yes do it|confirm"
)
_NO = "no|nope|no thanks|no thank you|don't|do not|wrong|rather not"
_CANCEL = (
    "cancel|cancel that|never mind|nevermind|forget it|forget about it|stop|stop it|abort|"
    "no never mind|no cancel"
)
YES: Final = frozenset(_YES.split("|"))
NO: Final = frozenset(_NO.split("|"))
CANCEL: Final = frozenset(_CANCEL.split("|"))


def slots_in(wanted: str, held: Transcript, said: Transcript, domain: Domain) -> tuple[Slot, ...]:
    """What ``said`` fills of ``held``, which lacks ``wanted``: a value, or what was understood."""
    assert held.intent is not None
    same = said.intent is not None and said.intent.name == held.intent.name
    seen = tuple(slot for slot in said.slots if slot.raw)
    if said.accepted and same and any(slot.name == wanted for slot in seen):
        return seen
    place = domain.find(wanted, said.text)
    if place is None or (said.accepted and not same and place != (0, len(said.text))):
        # Another command may well have a number in it.
        return () if said.accepted else tuple(slot for slot in seen if slot.name == wanted)
    start, end = place
    moment = datetime.fromtimestamp(said.captured) if said.captured else None
    value = domain.value(wanted, said.text[start:end], moment)
    return (
        Slot(
            name=wanted,
            raw=said.text[start:end],
            value=value.value,
            type=domain.type_of(wanted),
            unit=UNSET if value.unit is None else value.unit,
            start=start,
            end=end,
            confidence=1.0,
        ),
    )


def joined(held: Transcript, said: Transcript, slots: tuple[Slot, ...]) -> Transcript:
    """``held`` with an answer: its text and words behind, its slots at their new places."""
    later = after(held, said)
    offset = len(held.text) + 1
    replace = msgspec.structs.replace
    moved = [replace(slot, start=slot.start + offset, end=slot.end + offset) for slot in slots]
    names = {slot.name for slot in moved}
    return replace(
        later,
        text=f"{held.text} {said.text}",
        words=(*held.words, *said.words),
        transcripts=None,
        slots=(*(slot for slot in held.slots if slot.name not in names), *moved),
    )


def after(held: Transcript, said: Transcript) -> Transcript:
    """What is held, at the place in the stream and with the times of a later utterance."""
    return msgspec.structs.replace(
        held,
        id=said.id,
        file=said.file,
        position=said.position,
        captured=said.captured,
        decided=said.decided,
        timings=said.timings,
        models=said.models,
        accepted=True,
        speech=msgspec.structs.replace(held.speech, end=said.speech.end),
    )


def plain(text: str, domain: Domain) -> str:
    """What was said without skip words at its ends."""
    words = " ".join(text.lower().split())
    for skip in domain.skip_words:
        words = words.removesuffix(f" {skip}").removeprefix(f"{skip} ")
    return words
