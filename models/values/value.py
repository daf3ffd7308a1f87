"""A typed value and its types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPOKEN_TYPES: Final = (
    "number",
    "ordinal",
    "percent",
    "duration",
    "time",
    "date",
    "datetime",
    "temperature",
    "color",
)
"""Types whose values are understood from any words that mean one."""


@dataclass(frozen=True)
class Value:
    """What words are worth, in a form that JSON can carry."""

    value: str | int | float
    unit: str | None = None
    """Unit of a number: ``seconds``, ``percent``, ``celsius``, ``fahrenheit``."""
