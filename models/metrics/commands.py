"""Whether a command was understood: the rule of Picovoice's benchmark, and a strict one.

Source: github.com/Picovoice/speech-to-intent-benchmark (Apache 2.0): a command is accepted when
its intent is right and every labelled slot has exactly the labelled value. Slots that nobody
labelled are not punished there; the strict rule counts them as errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.metrics.words import plain

Found = Mapping[str, Sequence[Any]]
"""Slots that were found, by name: all the ways to write each value, e.g. ``[10, "ten"]``."""


def canonical(value: object) -> str:
    """How values are compared: case, spacing and 10 against 10.0 make no difference."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return plain(str(value))


def same_value(expected: object, ways: Sequence[object]) -> bool:
    """True when one of the ways to write a value is the expected one."""
    return any(canonical(expected) == canonical(way) for way in ways)


def accepted(
    intent: str | None,
    slots: Mapping[str, object] | None,
    found_intent: str | None,
    found_slots: Found,
) -> bool:
    """Picovoice's rule. ``intent`` is None for what must be rejected, ``slots`` where nobody
    labelled them."""
    if intent is None or found_intent is None:
        return intent is found_intent
    return intent == found_intent and all(
        same_value(value, found_slots.get(name, ())) for name, value in (slots or {}).items()
    )


def accepted_strictly(
    intent: str | None,
    slots: Mapping[str, object] | None,
    found_intent: str | None,
    found_slots: Found,
) -> bool:
    """The same, and no slot more than was labelled (where slots were labelled at all)."""
    return accepted(intent, slots, found_intent, found_slots) and (
        intent is None or slots is None or set(found_slots) <= set(slots)
    )
