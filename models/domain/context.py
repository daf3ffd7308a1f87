"""What a block of sentences takes for granted: slots without words, and context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hassil.util import check_excluded_context, check_required_context


@dataclass(frozen=True)
class BlockContext:
    """Slots and context of one block of sentences."""

    implied: Mapping[str, Any]
    """Slots that are meant without being said: ``{"domain": "light"}``."""

    required: Mapping[str, Any]
    """What has to be known: ``{"area": {"slot": True}}``."""

    excluded: Mapping[str, Any]
    """What must not be the case."""


def block_context(block: Mapping[str, Any]) -> BlockContext:
    """The context of a block as it is written.

    Home Assistant's newer files write ``inferred_domain`` for an implied slot, and
    ``name_domains`` for a required context.
    """
    implied = dict(block.get("slots") or {})
    required = dict(block.get("requires_context") or {})
    if "inferred_domain" in block:
        implied.setdefault("domain", block["inferred_domain"])
    if "name_domains" in block:
        required.setdefault("domain", block["name_domains"])
    return BlockContext(implied, required, dict(block.get("excludes_context") or {}))


def fits(known: Mapping[str, Any], context: BlockContext) -> bool:
    """Whether a list value that makes ``known`` known may stand in such a sentence.

    Keys that the value tells nothing about may come from elsewhere.
    """
    if not known:
        return True
    required = dict(context.required)
    return check_required_context(
        required, dict(known), allow_missing_keys=True
    ) and check_excluded_context(dict(context.excluded), dict(known))
