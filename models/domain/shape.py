"""The shape of a domain file: its keys and their types, as structures.

The reader takes the known keys from here, and the JSON Schema for editors
(``pipeline/schemas/domain.schema.json``) is made from it by ``python -m models.domain.schema``.
What Home Assistant's format has keeps its names; what we add is said to be ours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Probability = Annotated[float, Meta(ge=0, le=1)]
Scalar = str | int | float
Template = Annotated[str, Meta(min_length=1)]

SlotType = Literal[
    "list",
    "text",
    "number",
    "ordinal",
    "percent",
    "duration",
    "time",
    "date",
    "datetime",
    "temperature",
    "color",
]
"""What a slot's value is; see docs/values.md."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: an unknown key is an error."""


class RangeShape(Shape, frozen=True, kw_only=True):
    """Numbers from … to, in words and digits."""

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    step: Annotated[int, Meta(ge=1)] = 1
    type: Literal["number", "percentage", "temperature"] = "number"
    fractions: Literal["halves", "tenths"] | None = None
    multiplier: float | None = None
    digits: bool = True
    words: bool = True
    words_language: str | None = None


class ValueShape(Shape, frozen=True, kw_only=True):
    """One value of a list: the words, and what they stand for."""

    spoken: Template = msgspec.field(name="in")
    out: Scalar | None = None
    synonyms: tuple[Template, ...] = ()
    """Ours: other words for the same value."""

    context: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


class ListShape(Shape, frozen=True, kw_only=True):
    """What may fill a slot: values, a range, any words (wildcard), or (ours) a spoken type."""

    values: Annotated[tuple[Template | ValueShape, ...], Meta(min_length=1)] | None = None
    range: RangeShape | None = None
    wildcard: bool | None = None
    type: SlotType | None = None
    """Ours: ``duration``, ``time`` …: whatever words mean a value of this type."""

    examples: tuple[Template, ...] = ()
    """Ours: likely words for a wildcard or type, for training and speech recognition."""


class BlockShape(Shape, frozen=True, kw_only=True):
    """Sentences that share what they imply and need."""

    sentences: Annotated[tuple[Template, ...], Meta(min_length=1)]
    lists: dict[str, ListShape] = {}
    expansion_rules: dict[str, Template] = {}
    slots: dict[str, Any] = {}
    requires_context: dict[str, Any] = {}
    excludes_context: dict[str, Any] = {}
    response: str | None = None
    metadata: dict[str, Any] = {}
    required_keywords: tuple[str, ...] = ()
    inferred_domain: str | None = None
    name_domains: tuple[str, ...] = ()
    settings: dict[str, Any] = {}


class ExampleShape(Shape, frozen=True, kw_only=True):
    """Ours: a sentence to test with, and what it means."""

    text: str
    slots: dict[str, Scalar] | None = None
    """All slots and their values; left out: not tested."""

    context: dict[str, Any] = {}


class AnyExampleShape(Shape, frozen=True, kw_only=True):
    """Ours: a sentence to test with at the top of a file; intent null: must be rejected."""

    text: str
    intent: str | None
    slots: dict[str, Scalar] | None = None
    context: dict[str, Any] = {}


class IntentShape(Shape, frozen=True, kw_only=True):
    """One intent."""

    data: Annotated[tuple[BlockShape, ...], Meta(min_length=1)]
    description: str | None = None
    """Ours: for people."""

    threshold: Probability | None = None
    """Ours: below this confidence the intent is not accepted."""

    required: dict[str, str] = {}
    """Ours: slots that must be filled, each with the question that is asked when it is missing."""

    confirm: bool | str = False
    """Ours: ask before it is done; the question, or true for a plain one."""

    replies: str | dict[str, str] = {}
    """Ours: what is answered, by the block's ``response`` or ``default``; Jinja templates."""

    examples: tuple[str | ExampleShape, ...] = ()


class SlotShape(Shape, frozen=True, kw_only=True):
    """Ours: what a slot holds."""

    type: SlotType | None = None
    description: str | None = None


class DomainShape(Shape, frozen=True, kw_only=True):
    """A domain file."""

    language: str
    intents: Annotated[dict[str, IntentShape], Meta(min_length=1)]
    description: str | None = None
    slots: dict[str, SlotShape] = {}
    lists: dict[str, ListShape] = {}
    expansion_rules: dict[str, Template] = {}
    skip_words: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    responses: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    examples: tuple[AnyExampleShape, ...] = ()


def keys(shape: type[Shape]) -> tuple[str, ...]:
    """Names of a section's keys as they stand in the file."""
    return tuple(field.encode_name for field in msgspec.structs.fields(shape))
