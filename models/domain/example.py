"""A sentence of a domain together with what it means."""

from __future__ import annotations

from dataclasses import dataclass

from models.domain.template import SlotValue


@dataclass(frozen=True)
class ExampleSlot:
    """A slot inside the text of an example."""

    name: str
    start: int
    """Offset of its first character."""

    end: int
    """Offset behind its last character."""

    value: SlotValue
    """Canonical value."""


@dataclass(frozen=True)
class Example:
    """A sentence and what it means: lower-case words, single blanks, no punctuation."""

    text: str
    intent: str
    slots: tuple[ExampleSlot, ...] = ()

    implied: tuple[tuple[str, SlotValue], ...] = ()
    """Slots that no words carry: everybody who says this sentence means them."""
