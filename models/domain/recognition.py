"""Understand a text by the templates alone, with hassil, as Home Assistant does.

Unlike the trees of ``models.domain.template`` this knows written forms ("50%"), context and
implied slots; it is the reference for what a domain's files mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hassil import Intents, recognize_all
from hassil.recognize import RecognizeResult

from models.domain.context import block_context
from models.domain.example import ExampleSlot
from models.values import parse_value

_BLOCK = ("sentences", "expansion_rules", "response", "metadata", "required_keywords", "settings")


@dataclass(frozen=True)
class Recognition:
    """What a text means by a template."""

    intent: str
    slots: tuple[ExampleSlot, ...]
    """Slots that words of the text carry, in their order."""

    implied: Mapping[str, Any] = field(default_factory=dict)
    """Slots that the sentence or the context gives without words."""

    template: str = ""
    """The template that matched, as written."""

    response: str = "default"
    """Key of the reply."""

    @property
    def values(self) -> dict[str, Any]:
        """All slots and their values."""
        return {**self.implied, **{slot.name: slot.value for slot in self.slots}}


class Recognizer:
    """Recognises texts by the templates of a domain's data, as ``Source`` reads them."""

    def __init__(self, data: Mapping[str, Any], typed: Mapping[str, str]) -> None:
        """``typed``: slots that take any words of a spoken type, with that type."""
        self._typed = typed
        self._intents = Intents.from_dict(_for_hassil(data))
        self._language = str(data["language"])

    def recognize(self, text: str, context: Mapping[str, Any] | None = None) -> Recognition | None:
        """The best reading of ``text``, or None. ``context``: what is known: ``{"area": …}``."""
        best: tuple[tuple[Any, ...], RecognizeResult] | None = None
        for result in recognize_all(
            text, self._intents, intent_context=dict(context or {}), language=self._language
        ):
            if all(self._fits(entity) for entity in result.entities_list):
                rank = _rank(result)
                if best is None or rank < best[0]:
                    best = (rank, result)
        return None if best is None else self._recognition(best[1])

    def _fits(self, entity: Any) -> bool:
        kind = self._typed.get(entity.name) if entity.is_wildcard else None
        return kind is None or parse_value(kind, entity.text) is not None

    def _recognition(self, result: RecognizeResult) -> Recognition:
        slots = []
        implied = {}
        for entity in result.entities_list:
            value = entity.value
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if entity.text_span is None or not entity.text.strip():
                implied[entity.name] = value
                continue
            start, end = entity.text_span
            piece = result.original_text[start:end]
            start += len(piece) - len(piece.lstrip())
            slots.append(ExampleSlot(entity.name, start, start + len(piece.strip()), value))
        template = result.intent_sentence.text if result.intent_sentence else None
        return Recognition(
            result.intent.name,
            tuple(sorted(slots, key=lambda slot: slot.start)),
            implied,
            template or "",
            result.response or "default",
        )


def _rank(result: RecognizeResult) -> tuple[Any, ...]:
    """Lower is better: hassil's own order, and of equals the one that asks for more context."""
    name = result.entities.get("name")
    named = name is not None and not name.is_wildcard
    wild = [entity for entity in result.entities_list if entity.is_wildcard]
    return (
        not named,
        -len(name.text) if name is not None and named else 0,
        len(wild),
        -result.text_chunks_matched,
        sum(len(entity.text) for entity in wild),
        -len(result.intent_data.requires_context),
        result.intent.name,
    )


def _for_hassil(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data in the keys that hassil knows, without what only we have."""
    return {
        "language": data["language"],
        "settings": data.get("settings", {}),
        "skip_words": data.get("skip_words", []),
        "expansion_rules": data.get("expansion_rules", {}),
        "lists": {name: _list(body) for name, body in data.get("lists", {}).items()},
        "intents": {
            name: {"data": [_block(block) for block in body["data"]]}
            for name, body in data["intents"].items()
        },
    }


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    context = block_context(block)
    return {
        **{key: block[key] for key in _BLOCK if key in block},
        "lists": {name: _list(body) for name, body in block.get("lists", {}).items()},
        "slots": dict(context.implied),
        "requires_context": dict(context.required),
        "excludes_context": dict(context.excluded),
    }


def _list(body: Mapping[str, Any]) -> dict[str, Any]:
    if "range" in body:
        return {"range": body["range"]}
    if "values" not in body:
        return {"wildcard": True}
    values: list[Any] = []
    for value in body["values"]:
        if not isinstance(value, dict):
            values.append(value)
            continue
        out = value.get("out", value["in"])
        values += [
            {**value, "in": words, "out": out}
            for words in (value["in"], *value.get("synonyms", ()))
        ]
    return {"values": values}
