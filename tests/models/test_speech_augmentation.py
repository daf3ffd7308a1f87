"""What is done to speech before the network learns from it."""

from __future__ import annotations

import numpy as np
import pytest

from models.suppression import suppress
from models.training.speech.audio import RATE, Samples
from models.training.speech.augmentation import (
    MASK_BINS,
    Augmentation,
    Augmenter,
    change_speed,
    convolve,
    mask,
    mix,
    quantise,
)
from models.training.speech.clatter import clatter
from models.training.speech.codec import CODECS, Codec, pass_codec
from models.training.speech.noise import NoisePool
from models.training.speech.rooms import REVERBERATION, simulate_room

SPEECH: Samples = np.sin(np.arange(2 * RATE) * 2 * np.pi * 440 / RATE).astype(np.float32) * 0.3
NOISE: Samples = np.random.default_rng(5).uniform(-1, 1, RATE).astype(np.float32)

STILL = Augmentation(
    speeds=(1.0,), volume=(-6, -6), noise=0, babble=0, room=0, bandwidth=0, tilt=0, masks=0
)


def augmenter(**changes: object) -> Augmenter:
    settings = Augmentation(
        **{**{f: getattr(STILL, f) for f in STILL.__struct_fields__}, **changes}
    )
    room = np.array([1.0, *[0.0] * 799, 0.5], np.float32)
    return Augmenter(settings, NoisePool([NOISE]), [room])


@pytest.mark.parametrize("snr", [0.0, 6.0, 20.0])
def test_given_a_ratio_then_the_mean_powers_of_speech_and_noise_have_it(snr: float) -> None:
    noise = np.resize(NOISE, len(SPEECH))
    added = mix(SPEECH, noise, snr) - SPEECH
    ratio = 10 * np.log10(np.mean(SPEECH**2) / np.mean(added**2))
    assert ratio == pytest.approx(snr, abs=0.05)


def test_given_suppression_then_the_noise_is_treated_as_the_daemon_treats_it() -> None:
    noisy = augmenter(noise=1.0, snr=(5.0, 5.0))(SPEECH, np.random.default_rng(2))
    heard = augmenter(noise=1.0, snr=(5.0, 5.0), suppressed=1.0)(SPEECH, np.random.default_rng(2))
    assert heard == pytest.approx(suppress(noisy), abs=1e-6)
    assert np.abs(heard - noisy).max() > 0.01


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_given_a_speed_then_length_and_pitch_change_with_it(factor: float) -> None:
    changed = change_speed(SPEECH, factor)
    assert len(changed) == pytest.approx(len(SPEECH) / factor, abs=2)
    peak = np.argmax(np.abs(np.fft.rfft(changed))) * RATE / len(changed)
    assert peak == pytest.approx(440 * factor, abs=2)


def test_given_a_room_then_an_echo_follows_and_the_length_stays() -> None:
    click = np.zeros(4000, np.float32)
    click[100] = 1.0
    response = np.zeros(900, np.float32)
    response[0], response[800] = 1.0, 0.5
    heard = convolve(click, response)
    assert len(heard) == len(click)
    assert heard[100] == pytest.approx(1.0, abs=1e-5)
    assert heard[900] == pytest.approx(0.5, abs=1e-5)


def test_simulated_rooms_begin_with_the_direct_sound_and_decay() -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        response = simulate_room(rng)
        assert response[0] == 1.0
        assert np.abs(response).max() == 1.0
        assert len(response) <= REVERBERATION[1] * RATE
        third = len(response) // 3
        assert np.mean(response[-third:] ** 2) < 0.05 * np.mean(response[:third] ** 2)


def test_nothing_but_the_volume_changes_where_all_shares_are_0() -> None:
    changed = augmenter()(SPEECH, np.random.default_rng(1))
    assert np.abs(changed).max() <= 10 ** (3 / 20)
    correlation = np.corrcoef(changed, SPEECH)[0, 1]
    assert correlation > 0.98


@pytest.mark.parametrize(
    "change",
    [
        {"noise": 1.0, "snr": (0.0, 5.0)},
        {"babble": 1.0, "snr": (-5.0, 0.0)},
        {"room": 1.0},
        {"tilt": 1.0, "bandwidth": 1.0},
        {"speeds": (0.9,)},
        {"codec": 1.0},
    ],
)
def test_each_change_is_heard_and_is_the_same_for_the_same_seed(change: dict[str, object]) -> None:
    speech = SPEECH + 0.1 * np.resize(NOISE, len(SPEECH)) ** 3
    others = [np.resize(NOISE, 20_000)]
    still = augmenter()(speech, np.random.default_rng(2), others)
    changed, again = (
        augmenter(**change)(speech, np.random.default_rng(2), others) for _ in range(2)
    )
    assert np.array_equal(changed, again)
    length = min(len(still), len(changed))
    assert np.corrcoef(changed[:length], still[:length])[0, 1] < 0.999


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.encoding)
def test_given_a_codec_then_speech_stays_in_place_and_loses_some_detail(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.training.speech.codec.CODECS", (codec,))
    rng = np.random.default_rng(6)
    steps = np.cumsum(rng.normal(300, 200, 20_011)) * 2 * np.pi / RATE
    speech = (0.3 * np.sin(steps)).astype(np.float32)
    heard = pass_codec(speech, rng)
    assert len(heard) == len(speech)
    error = np.mean((heard - speech) ** 2) / np.mean(speech**2)
    assert 1e-7 < error < 0.3


def test_samples_stay_16_bit_numbers() -> None:
    rounded = quantise(np.array([2.0, -2.0, 0.1], np.float32)) * 32_768
    assert rounded.tolist() == [32_767, -32_768, 3277]


def test_masks_keep_most_of_the_features() -> None:
    features = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
    masked = mask(features, np.random.default_rng(4))
    assert masked.shape == features.shape
    same = (masked == features).mean()
    assert 1 - MASK_BINS / 40 - 0.1 <= same < 1


def test_noise_is_drawn_by_length_and_weight_and_repeated_to_fit() -> None:
    pool = NoisePool([np.full(300, 1.0, np.float32), np.full(100, 2.0, np.float32)], [1.0, 3.0])
    rng = np.random.default_rng(8)
    drawn = [pool.draw(1000, rng) for _ in range(400)]
    assert all(len(piece) == 1000 and len(set(piece.tolist())) == 1 for piece in drawn)
    assert np.mean([piece[0] == 2.0 for piece in drawn]) == pytest.approx(0.5, abs=0.1)


def test_given_a_generator_then_it_makes_strokes_that_stand_out_of_what_is_behind() -> None:
    noise = clatter(10.0, np.random.default_rng(4))
    assert noise.shape == (10 * RATE,)
    assert np.abs(noise).max() == pytest.approx(1.0)
    power = np.square(noise[: len(noise) // 400 * 400]).reshape(-1, 400).mean(axis=1)
    assert power.max() > 100 * np.median(power)
    assert (clatter(10.0, np.random.default_rng(4)) == noise).all()
    assert (clatter(10.0, np.random.default_rng(5)) != noise).any()
