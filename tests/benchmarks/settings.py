"""Configurations to measure: a shipped one with other sources and placement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.loading import find_configuration

NAME = "coffee"
"""The configuration that is measured; its models are the ones that both sides use."""

PLACEMENTS = ("process", "thread")


def write_settings(
    path: Path, *, placement: str, sources: Sequence[Mapping[str, Any]] | None = None
) -> Path:
    """The shipped configuration with ``placement`` and ``sources`` in place of its own."""
    data = yaml.safe_load(find_configuration(NAME).read_text(encoding="utf-8"))
    data["placement"] = placement
    if sources is not None:
        data["sources"] = [dict(source) for source in sources]
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path
