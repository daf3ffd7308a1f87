"""Speak phones aloud with espeak-ng, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from models.errors import ModelError
from models.pronunciation.phones import PHONES, Phones

_NAMES = "A: a V O: aU aI b tS d D E 3: eI f g h I i: dZ k l m n N oU OI p r s S t T U u: v w j z Z"
ESPEAK_PHONES = dict(zip(PHONES, _NAMES.split(), strict=True))
"""espeak-ng's names of the phones (its ASCII form, as in ``espeak-ng -x``)."""

_VOWELS = "AEIOU"
_SECONDS = 20


def espeak_text(phones: Phones) -> str:
    """Phones as espeak-ng takes them in text, the first vowel stressed: ``[[l'A:teI]]``."""
    parts = []
    stressed = False
    for phone in phones:
        mark = "'" if phone[0] in _VOWELS and not stressed else ""
        stressed = stressed or bool(mark)
        parts.append(mark + ESPEAK_PHONES[phone])
    return f"[[{''.join(parts)}]]"


def speak(phones: Phones, out: Path | None = None) -> None:
    """Play phones, or write them to the WAV file ``out``.

    Raises ModelError if espeak-ng is missing or fails.
    """
    program = shutil.which("espeak-ng") or shutil.which("espeak")
    if program is None:
        raise ModelError("speaking needs espeak-ng: install the package espeak-ng")
    target = ["-w", str(out)] if out else []
    command = [program, "-v", "en-us", "-s", "130", *target, espeak_text(phones)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelError("espeak-ng did not end: is there a device to play sound on?") from None
    if done.returncode or (out and not out.is_file()):
        lines = done.stderr.strip().splitlines()
        raise ModelError(f"espeak-ng failed: {lines[-1] if lines else done.returncode}")
