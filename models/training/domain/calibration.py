"""What confidences mean, and from which one on an intent is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.mobilebert.decoding import softmax
from models.training.language.evaluation import best_temperature

RECALL = 0.96
"""Share of the domain's own sentences that the threshold must let pass, a point above what is
promised, because it is taken from few sentences."""

FALSE_ACCEPTS = 0.02
"""Share of foreign texts that may pass, if that costs no more sentences than allowed."""

LOWEST, HIGHEST = 0.3, 0.95


class Calibration(NamedTuple):
    """Of an intent head."""

    temperature: float
    threshold: float


def calibrate(
    logits: npt.NDArray[np.float32], right: npt.NDArray[np.intp], plain: Sequence[bool]
) -> Calibration:
    """Temperature and threshold from logits [texts, labels], the last label out of scope.

    ``right`` is the label of each text; ``plain`` says which texts are sentences as the domain
    has them. The threshold rejects as many foreign texts as asked for, as far as the sentences
    allow it.
    """
    temperature = best_temperature(list(logits), list(right))
    inside = softmax(logits, temperature)[:, :-1]
    outside = right == logits.shape[1] - 1
    confidence = inside.max(axis=1)
    known = np.asarray(plain) & ~outside
    correct = known & (inside.argmax(axis=1) == right)
    own = np.sort(np.where(correct, confidence, 0.0)[known])
    wanted = np.quantile(confidence[outside], 1 - FALSE_ACCEPTS) if outside.any() else 0.0
    possible = own[int((1 - RECALL) * len(own))] if len(own) else wanted
    threshold = float(np.clip(min(wanted, possible), LOWEST, HIGHEST))
    return Calibration(temperature, round(threshold, 3))
