"""How far a text is from all that a network was trained on, to tell what is out of scope.

The Mahalanobis distance of a text's state to the nearest intent's mean (Lee et al. 2018; for
intents Podolskiy et al. 2021), of states of length 1, under the covariance that all intents share.
It knows what logits forget: a state may point to an intent and still lie where no training text
ever lay. Taken from every logit, with a weight, it leaves the intents' probabilities as they are
and lowers their energy, so a model folder needs nothing new for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from models.metrics import auroc
from models.training.language.alignment import LabelledText

SHRINKING = 0.1
"""Share of the mean variance that is added to each: there are hardly more texts than dimensions."""

WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Of a unit of distance in the logits; the best on the development part is taken."""


class Distance(nn.Module):
    """Distance to the nearest intent, in units of logits."""

    def __init__(self, states: torch.Tensor, labels: torch.Tensor) -> None:
        """From ``states`` float32 [texts, size] of texts with ``labels`` int64 [texts]."""
        super().__init__()
        found = functional.normalize(states.double(), dim=-1)
        means = torch.stack([found[labels == label].mean(0) for label in labels.unique()])
        rest = found - means[labels.unique(return_inverse=True)[1]]
        covariance = rest.T @ rest / len(rest)
        size = len(covariance)
        ridge = SHRINKING * covariance.diagonal().mean() * torch.eye(size, dtype=torch.float64)
        whitening = torch.linalg.inv(torch.linalg.cholesky(covariance + ridge)).T
        self.register_buffer("whitening", whitening.float())
        self.register_buffer("centres", (means @ whitening).float())
        self.whitening: torch.Tensor
        self.centres: torch.Tensor
        self.weight = 1.0

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Of states [batch, size], float32 [batch, 1]."""
        white = functional.normalize(states, dim=-1) @ self.whitening
        squares = white.square().sum(-1, keepdim=True) + self.centres.square().sum(-1)
        nearest = (squares - 2 * white @ self.centres.T).amin(-1, keepdim=True)
        return self.weight * nearest.clamp_min(0.0).sqrt()


def best_weight(
    energies: Sequence[float],
    distances: Sequence[float],
    texts: Sequence[LabelledText],
    outside: str,
) -> float:
    """The weight that tells texts of the label ``outside`` best from the others."""

    def score(weight: float) -> float:
        rows = zip(texts, energies, distances, strict=True)
        values = [(text.intent == outside, energy - weight * far) for text, energy, far in rows]
        inner = [value for is_outside, value in values if not is_outside]
        outer = [value for is_outside, value in values if is_outside]
        return (auroc(inner, outer) or 0.0) if inner and outer else 0.0

    return max(WEIGHTS, key=score)
