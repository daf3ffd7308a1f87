"""Noise that is added to features while training."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.speech.audio import RATE, Samples
from models.training.speech.augmentation import Augmentation, add_noise, change_features
from models.training.speech.features import log_mel
from models.training.speech.noise import NoisePool

SPEECH: Samples = np.sin(np.arange(2 * RATE) * 2 * np.pi * 440 / RATE).astype(np.float32) * 0.3
NOISE: Samples = np.random.default_rng(5).uniform(-1, 1, RATE).astype(np.float32)


@pytest.mark.parametrize("snr", [0.0, 10.0])
def test_noise_added_to_features_is_nearly_that_of_mixed_waves(snr: float) -> None:
    speech = SPEECH * np.linspace(0.2, 1, len(SPEECH), dtype=np.float32)
    noise = np.resize(NOISE, len(speech))
    added = add_noise(log_mel(speech), log_mel(noise), snr)
    mixed = log_mel(speech + (added_gain(speech, noise, snr) * noise).astype(np.float32))
    assert np.abs(added - mixed).mean() < 0.5
    assert np.abs(log_mel(speech) - mixed).mean() > 2


def added_gain(speech: Samples, noise: Samples, snr: float) -> float:
    """The gain with which the powers in the mel bands have the ratio."""
    powers = np.exp(log_mel(speech)).mean() / np.exp(log_mel(noise)).mean()
    return float(np.sqrt(powers / 10 ** (snr / 10)))


def test_given_a_share_of_fresh_noise_then_each_epoch_hears_another() -> None:
    features = log_mel(SPEECH)
    noises = NoisePool([NOISE]).features()
    always = Augmentation(fresh_noise=1.0, masks=0.0, snr=(0, 20))
    rng = np.random.default_rng(3)
    first, second = (change_features(noises, always, rng, features) for _ in range(2))
    assert np.abs(first - second).max() > 0.1
    assert (first >= features - 1e-3).all()
    assert change_features(NoisePool([]), always, rng, features) is features
