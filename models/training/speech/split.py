"""Which speakers are held out: a rule that anybody can repeat.

A speaker is held out if the first eight hexadecimal digits of the SHA-256 of the speaker's name
(UTF-8), as a number modulo 100, are below the percentage. So a speaker is on the same side in
every manifest and every run, whatever else is added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from models.training.speech.manifest import Utterance


def is_held_out(speaker: str, percent: int) -> bool:
    """True if nothing of this speaker may be trained on, where ``percent`` are held out."""
    return int(hashlib.sha256(speaker.encode()).hexdigest()[:8], 16) % 100 < percent


def split(utterances: Iterable[Utterance], percent: int) -> tuple[list[Utterance], list[Utterance]]:
    """Utterances to train on, and those of the speakers held out."""
    training: list[Utterance] = []
    held_out: list[Utterance] = []
    for utterance in utterances:
        (held_out if is_held_out(utterance.speaker, percent) else training).append(utterance)
    return training, held_out
