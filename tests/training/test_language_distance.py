"""Distance from what was trained on: it tells scope, and leaves the intents as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.training.language.alignment import LabelledText
from models.training.language.distance import WEIGHTS, Distance, best_weight

SIZE, EACH = 12, 40


def material(seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """States of three intents, each around a direction of its own."""
    generator = torch.Generator().manual_seed(seed)
    states = torch.eye(3, SIZE).repeat_interleave(EACH, 0) * 5
    states += 0.3 * torch.randn(states.shape, generator=generator)
    return states, torch.tensor([4, 7, 9]).repeat_interleave(EACH)


def test_the_nearest_intent_counts_as_with_scipys_formula() -> None:
    states, labels = material()
    distance = Distance(states, labels)
    unit = (states / states.norm(dim=1, keepdim=True)).double().numpy()
    groups = [unit[labels.numpy() == label] for label in (4, 7, 9)]
    rest = np.concatenate([group - group.mean(0) for group in groups])
    covariance = rest.T @ rest / len(rest)
    inverse = np.linalg.inv(covariance + 0.1 * np.trace(covariance) / SIZE * np.eye(SIZE))
    away = [unit[5] - group.mean(0) for group in groups]
    expected = min(np.sqrt(a @ inverse @ a) for a in away)
    assert float(distance(states[5:6])) == pytest.approx(expected, rel=1e-3)


def test_what_lies_between_or_beside_the_intents_is_further_than_all_of_them() -> None:
    states, labels = material()
    distance = Distance(states, labels)
    between = states[:1] + states[EACH : EACH + 1]
    beside = torch.eye(SIZE)[5:6]
    for foreign in (between, beside):
        assert float(distance(foreign)) > float(distance(states).max())


def test_length_says_nothing() -> None:
    states, labels = material()
    distance = Distance(states, labels)
    assert distance(states * 7) == pytest.approx(distance(states), abs=1e-2)


def texts(outside: list[bool]) -> list[LabelledText]:
    return [LabelledText(("a",), None, "oos" if out else "on") for out in outside]


def test_the_weight_is_what_tells_scope_best() -> None:
    told = texts([False, False, True, True])
    assert best_weight([5, 2, 1, 0], [1, 1, 9, 9], told, "oos") == 0, "energy says it all"
    useful = best_weight([5, 2, 3, 4], [1, 1, 31, 31], told, "oos")
    assert useful in WEIGHTS[1:]
    assert best_weight([5, 2, 3, 4], [9, 9, 1, 1], told, "oos") == 0, "distance misleads"
    assert best_weight([5, 2], [1, 9], texts([False, False]), "oos") == 0, "nothing to tell"
