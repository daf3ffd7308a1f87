"""The phones of American English, as in the CMU Pronouncing Dictionary, without stress."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from models.errors import ModelError

_PHONES = (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W "
    "Y Z ZH"
)
PHONES = tuple(_PHONES.split())
"""The 39 phones, sorted."""

Phones = tuple[str, ...]
"""One pronunciation: ``("L", "AA", "T", "EY")``."""

_STRESS = re.compile(r"(?<=[A-Z])[012]$")
_MENDS = {"AX": "AH", "AXR": "ER", "IX": "IH", "H": "HH", "X": "K S", "Q": "K", "C": "K", "J": "JH"}


def parse_phones(text: str | Sequence[str], where: str) -> Phones:
    """Phones from ``"L AA1 T EY2"`` or a sequence of them; stress and case don't matter.

    Raises ModelError that names ``where``, the phone that is none, and what may be meant.
    """
    parts = text.split() if isinstance(text, str) else [part.strip() for part in text]
    if not parts:
        raise ModelError(f"{where}: a pronunciation needs phones, such as L AA T EY for latte")
    phones = tuple(_STRESS.sub("", part.upper()) for part in parts)
    for given, phone in zip(parts, phones, strict=True):
        if phone not in PHONES:
            raise ModelError(f"{where}: {given} is no phone; {_hint(phone)}")
    return phones


def _hint(phone: str) -> str:
    close = difflib.get_close_matches(phone, PHONES, 1, cutoff=0.5)
    meant = _MENDS.get(phone) or (close[0] if close else None)
    known = f"phones are {' '.join(PHONES)}"
    return f"did you mean {meant}? {known}" if meant else known
