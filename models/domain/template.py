"""Sentence templates as trees in which every list and rule is already filled in.

Templates are parsed by hassil; its tree refers to lists and rules by name, ours holds them, so
that sampling, matching and compiling need nothing but the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

SlotValue = str | int | float
"""Canonical value of a slot."""

WILDCARD = "<any>"
"""The word that stands in an acceptor for any words."""


@dataclass(frozen=True, eq=False)
class Text:
    """Literal text in lower case; blanks at its ends separate words, ``s`` in ``light[s]`` not."""

    text: str


@dataclass(frozen=True, eq=False)
class Sequence:
    """One after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Choice:
    """Exactly one of them; what is optional is a choice whose last item is an empty text."""

    items: tuple[Node, ...]
    optional: bool = False


@dataclass(frozen=True, eq=False)
class Permutation:
    """All of them, in any order."""

    items: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class ListValue:
    """One way to fill a slot."""

    node: Node
    value: SlotValue | None
    """Canonical value; None when it is the words themselves."""

    context: Mapping[str, Any] = field(default_factory=dict)
    """What is known once it was said: ``{"domain": "light"}``."""


@dataclass(frozen=True, eq=False)
class ValueList:
    """A named list of values, made when first needed because number words cost time."""

    name: str
    make: Callable[[], tuple[ListValue, ...]]
    type: str = "list"
    """Type of its values: ``list``, ``number``, ``text`` …"""

    accepts: Callable[[str], bool] | None = None
    """For open lists (wildcards and spoken types): whether these words may fill the slot. Their
    values are only examples."""

    any_words: bool = False
    """An open list without examples of its own: in acceptors the word WILDCARD stands for it."""

    @cached_property
    def values(self) -> tuple[ListValue, ...]:
        """The values in the order of the file."""
        return self.make()

    def restricted(self, allowed: Callable[[ListValue], bool]) -> ValueList:
        """The same list with only the values that ``allowed`` takes."""
        kept = tuple(value for value in self.values if allowed(value))
        if len(kept) == len(self.values):
            return self
        return ValueList(self.name, lambda: kept, self.type)


@dataclass(frozen=True, eq=False)
class Slot:
    """Words that fill a slot."""

    name: str
    values: ValueList


Node = Text | Sequence | Choice | Permutation | Slot


@dataclass(frozen=True)
class Template:
    """One sentence template of an intent."""

    intent: str
    text: str
    """As written in the file."""

    root: Node
    implied: tuple[tuple[str, SlotValue], ...] = ()
    """Slots that need no words: whoever says this sentence means them."""

    response: str | None = None
    """Key of the reply."""
