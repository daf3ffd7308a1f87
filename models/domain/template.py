"""Sentence templates as trees in which every list and rule is already filled in.

Templates are parsed by hassil; its tree refers to lists and rules by name, ours holds them, so
that sampling, matching and compiling need nothing but the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

SlotValue = str | int | float
"""Canonical value of a slot."""


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


@dataclass(frozen=True, eq=False)
class ValueList:
    """A named list of values, made when first needed because number words cost time."""

    name: str
    make: Callable[[], tuple[ListValue, ...]]

    @cached_property
    def values(self) -> tuple[ListValue, ...]:
        """The values in the order of the file."""
        return self.make()


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
