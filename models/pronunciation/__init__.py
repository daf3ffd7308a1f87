"""How words are spoken: a packed dictionary, files of a user's own, and a model for new words."""

from models.pronunciation.overrides import (
    pronunciations_beside,
    read_pronunciations,
    set_pronunciation,
)
from models.pronunciation.phones import PHONES, Phones, parse_phones
from models.pronunciation.pronouncer import Pronouncer, Pronunciation

__all__ = [
    "PHONES",
    "Phones",
    "Pronouncer",
    "Pronunciation",
    "parse_phones",
    "pronunciations_beside",
    "read_pronunciations",
    "set_pronunciation",
]
