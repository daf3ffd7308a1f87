"""What a domain file says about its intents besides their sentences, and its own examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from models.domain.shape import AnyExampleShape, ExampleShape, SlotShape, keys
from models.domain.source import KeyPath, Source
from models.domain.template import SlotValue
from models.values import SPOKEN_TYPES


@dataclass(frozen=True)
class IntentDetails:
    """An intent as its author describes it."""

    name: str
    description: str = ""
    threshold: float | None = None
    """Confidence in [0, 1] below which it is not accepted; None: the configuration's."""

    required: Mapping[str, str] = field(default_factory=dict)
    """Slots that must be filled, each with the question that is asked when it is missing."""

    confirm: str | None = None
    """Question that must be answered with yes before it is done; a Jinja template."""

    replies: Mapping[str, str] = field(default_factory=dict)
    """Jinja templates of replies by key; ``default`` where a sentence names none."""


@dataclass(frozen=True)
class WrittenExample:
    """A sentence that the author expects to be understood, or rejected."""

    text: str
    intent: str | None
    """None: it must be rejected."""

    slots: Mapping[str, SlotValue] | None
    """All slots with their values; None: not to be tested."""

    context: Mapping[str, Any]
    file: str
    line: int


def read_details(source: Source, name: str, slots: frozenset[str]) -> IntentDetails:
    """Everything that is written about an intent. Raises DomainError.

    ``slots`` are those of its sentences: what is required must be among them.
    """
    path: KeyPath = ("intents", name)
    body = source.data["intents"][name]
    threshold = body.get("threshold")
    if threshold is not None and (
        isinstance(threshold, bool)
        or not isinstance(threshold, int | float)
        or not 0 <= threshold <= 1
    ):
        source.fail((*path, "threshold"), "must be a number from 0 to 1")
    required = source.mapping(body.get("required", {}), (*path, "required"))
    for slot, question in required.items():
        source.string(question, (*path, "required", slot))
        if slot not in slots:
            source.fail(
                (*path, "required", slot),
                f"no sentence of {name} has this slot; it has {', '.join(sorted(slots)) or 'none'}",
            )
    return IntentDetails(
        name=name,
        description=str(body.get("description") or ""),
        threshold=None if threshold is None else float(threshold),
        required=required,
        confirm=_confirm(source, body.get("confirm", False), path),
        replies=_replies(source, name, path),
    )


def _confirm(source: Source, written: object, path: KeyPath) -> str | None:
    if written is True:
        return "Are you sure?"
    if written is False:
        return None
    return source.string(written, (*path, "confirm"))


def _replies(source: Source, name: str, path: KeyPath) -> dict[str, str]:
    """Our ``replies`` of the intent, and Home Assistant's ``responses`` where there are none."""
    responses = source.mapping(source.data.get("responses") or {}, ("responses",))
    intents = responses.get("intents") or {}
    found = dict(intents.get(name) or {}) if isinstance(intents, dict) else {}
    written = source.data["intents"][name].get("replies", {})
    own = {"default": written} if isinstance(written, str) else written
    for key, text in source.mapping(own, (*path, "replies")).items():
        found[key] = source.string(text, (*path, "replies", key))
    return {key: text for key, text in found.items() if isinstance(text, str)}


def read_slot_types(source: Source, slots: frozenset[str]) -> dict[str, str]:
    """Types that the file declares for its slots. Raises DomainError."""
    declared = source.mapping(source.data.get("slots", {}), ("slots",))
    types = {}
    for name, body in declared.items():
        path: KeyPath = ("slots", name)
        content = source.mapping(body, path)
        source.known_keys(content, keys(SlotShape), path)
        if name not in slots:
            known = ", ".join(sorted(slots)) or "none"
            source.fail(path, f"no sentence has this slot; known are {known}")
        kind = content.get("type")
        if kind is None:
            continue
        if kind not in (*SPOKEN_TYPES, "list", "text"):
            known = ", ".join((*SPOKEN_TYPES, "list", "text"))
            source.fail((*path, "type"), f"must be one of {known}")
        types[name] = kind
    return types


def read_examples(source: Source) -> Iterator[WrittenExample]:
    """The file's own examples: those at the top, then those of each intent. Raises DomainError."""
    if "examples" in source.data:
        entries = source.sequence(source.data["examples"], ("examples",))
        for number, entry in enumerate(entries):
            path: KeyPath = ("examples", number)
            content = source.mapping(entry, path)
            source.known_keys(content, keys(AnyExampleShape), path)
            if "intent" not in content:
                source.fail(path, "needs an intent: its name, or null for what must be rejected")
            intent = content["intent"]
            known = isinstance(intent, str) and intent in source.data["intents"]
            if intent is not None and not known:
                source.fail((*path, "intent"), f"there is no intent {intent!r}")
            yield _example(source, content, intent, path)
    for name, body in source.data["intents"].items():
        if "examples" not in body:
            continue
        path = ("intents", name, "examples")
        for number, entry in enumerate(source.sequence(body["examples"], path)):
            content = {"text": entry} if isinstance(entry, str) else entry
            source.known_keys(
                source.mapping(content, (*path, number)), keys(ExampleShape), (*path, number)
            )
            yield _example(source, content, name, (*path, number))


def _example(
    source: Source, content: Mapping[str, Any], intent: str | None, path: KeyPath
) -> WrittenExample:
    text = source.string(content.get("text"), (*path, "text"))
    try:
        slots = msgspec.convert(content.get("slots"), dict[str, str | int | float] | None)
    except msgspec.ValidationError:
        source.fail((*path, "slots"), "must be slots with their values: a string or a number")
    context = source.mapping(content.get("context", {}), (*path, "context"))
    file, line = source.place(path)
    return WrittenExample(text, intent, slots, context, file, line)
