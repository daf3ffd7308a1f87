"""What a recogniser's confidence in a word is worth, as a probability.

Vosk gives a word the share of the lattice's paths that have it. How often such words are right
depends on the acoustics, the scale of its scores and the grammar. A logistic curve over the share's
log-odds (Platt 1999), fitted to recordings that nothing was trained on, makes it a probability.
It lies in ``confidence.json`` beside the model or grammar that it was measured with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import ModelError

CONFIDENCE_FILE = "confidence.json"

LEAST = 1e-3
"""Distance from 0 and 1 that a share is taken to have at least."""

PRIOR = 0.5
"""Weight of the belief that nothing has to be changed: a list without errors has no best curve."""

STEPS = 100
LARGEST_STEP = 1.0
BINS = 10


class Confidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The curve: probability = logistic(scale × log-odds of the share + offset)."""

    scale: float
    offset: float
    words: int
    """Words that it was fitted to."""

    error_before: float
    error: float
    """Expected calibration error on them, before and with the curve."""

    def probability(self, share: float) -> float:
        """The probability that a word is right, from Vosk's confidence in it."""
        return float(_curve(np.array([self.scale, self.offset]), _design([share]))[0])


def fit(shares: Sequence[float], right: Sequence[bool]) -> Confidence:
    """The curve of words with these confidences. Raises ModelError if there are too few."""
    if len(shares) < 2 * BINS:
        raise ModelError(f"{len(shares)} words are too few to say what a confidence is worth")
    design, truth = _design(shares), np.asarray(right, float)
    unchanged = np.array([1.0, 0.0])
    curve = unchanged
    for _ in range(STEPS):
        found = _curve(curve, design)
        slope = design.T @ (found - truth) + PRIOR * (curve - unchanged)
        bend = (design * (found * (1 - found))[:, None]).T @ design + PRIOR * np.eye(2)
        step = np.linalg.solve(bend, slope)
        # Far from the optimum the curve is flat and Newton's step too long.
        curve = curve - step * min(1.0, LARGEST_STEP / max(1e-12, float(np.abs(step).max())))
    scale, offset = (round(float(value), 4) for value in curve)
    return Confidence(
        scale=scale,
        offset=offset,
        words=len(shares),
        error_before=round(calibration_error(shares, right), 4),
        error=round(calibration_error(_curve(curve, design), right), 4),
    )


def calibration_error(probabilities: ArrayLike, right: ArrayLike) -> float:
    """Mean distance between probability and share of right ones in ten bins of equal width,
    weighted by how many are in each (Naeini et al. 2015)."""
    said, truth = np.asarray(probabilities, float), np.asarray(right, float)
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    parts = [bins == number for number in np.unique(bins)]
    return float(sum(abs(said[part].sum() - truth[part].sum()) for part in parts) / len(said))


def read_confidence(folder: Path) -> Confidence | None:
    """The curve of a model folder, or None if it has none. Raises ModelError, naming the file."""
    path = folder / CONFIDENCE_FILE
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Confidence)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{path} is not a confidence curve: {error}; delete it") from None


def write_confidence(folder: Path, confidence: Confidence) -> None:
    """Write ``confidence.json`` into ``folder``."""
    text = msgspec.json.format(msgspec.json.encode(confidence), indent=2)
    (folder / CONFIDENCE_FILE).write_bytes(text + b"\n")


def _design(shares: Sequence[float]) -> NDArray[np.float64]:
    """Log-odds and ones [words, 2]."""
    share = np.clip(np.asarray(shares, float), LEAST, 1 - LEAST)
    return np.stack([np.log(share / (1 - share)), np.ones_like(share)], axis=1)


def _curve(curve: NDArray[np.float64], design: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(design @ curve, -50, 50))))
