"""Options of Kaldi's decoder that a user may want to change without touching a model."""

from __future__ import annotations

import re
from pathlib import Path

from models.errors import ModelError

_ACOUSTIC_SCALE = re.compile(r"^\s*--acoustic-scale=(\S+)", re.MULTILINE)
KALDI_SCALE = 0.1
"""Kaldi's own scale, for a model that doesn't give one."""


def decoding_options(
    model: Path, *, beam: float | None = None, grammar_weight: float = 1.0
) -> dict[str, float]:
    """Options for ``model.conf`` of the folder ``model``.

    ``beam`` is how much worse than the best a hypothesis may be and still be followed: wider is
    slower and finds more; None leaves the model's own. ``grammar_weight`` is the weight of
    grammar and pronunciations against the sound, 1 as the model is. Raises ModelError.
    """
    options: dict[str, float] = {}
    if beam is not None:
        options["beam"] = beam
    if grammar_weight != 1.0:
        # The decoder adds the scaled sound to the unscaled graph: less of the one is more of
        # the other.
        options["acoustic-scale"] = round(_acoustic_scale(model) / grammar_weight, 6)
    return options


def _acoustic_scale(model: Path) -> float:
    path = model / "conf" / "model.conf"
    try:
        found = _ACOUSTIC_SCALE.search(path.read_text(encoding="utf-8"))
        return float(found.group(1)) if found else KALDI_SCALE
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: can't be read ({error}); get the model anew") from error
