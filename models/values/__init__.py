"""Spoken forms of numbers, times, dates, durations … as typed values."""

from models.values.parsing import parse_value
from models.values.phrases import typical_phrases
from models.values.value import SPOKEN_TYPES, Value

__all__ = ["SPOKEN_TYPES", "Value", "parse_value", "typical_phrases"]
