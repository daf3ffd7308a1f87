"""Noise suppression: as many samples out as in, at their time, with less noise between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from models import suppression
from models.errors import ModelError
from models.suppression import DELAY, RATE, NoiseSuppressor, strength_of, suppress

RECORDING = Path(__file__).parents[1] / "replays/coffee/get-me-a-small-dark-roast-espresso.flac"

Samples = npt.NDArray[np.float64]


def speech() -> Samples:
    samples, rate = soundfile.read(RECORDING, always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, RATE))[: 2 * RATE]


def pcm(samples: Samples) -> bytes:
    return np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def values(data: bytes) -> Samples:
    return np.frombuffer(data, "<i2") / 32767


CLEAN = speech()
NOISE = np.random.default_rng(1).standard_normal(len(CLEAN)) * np.sqrt(np.mean(CLEAN**2) / 10)
NOISY = pcm(CLEAN + NOISE)


def suppressed(data: bytes, strength: float, step: int = 6400) -> bytes:
    suppressor = NoiseSuppressor(strength)
    made = [suppressor.process(data[at : at + step]) for at in range(0, len(data), step)]
    return b"".join([*made, suppressor.finish()])


def test_noise_goes_and_speech_stays_where_it_was() -> None:
    heard = values(suppressed(NOISY, 1.0))
    assert np.mean((heard - CLEAN) ** 2) < np.mean(NOISE**2) / 2, "half of what is not speech"
    lags = range(-DELAY, DELAY + 1, 8)
    likeness = [float(np.dot(np.roll(heard, lag), CLEAN)) for lag in lags]
    assert list(lags)[int(np.argmax(likeness))] == 0


def test_the_strength_is_the_share_of_the_suppressed_sound() -> None:
    assert suppressed(NOISY, 0.0) == NOISY
    whole, half = values(suppressed(NOISY, 1.0)), values(suppressed(NOISY, 0.5))
    assert half == pytest.approx((whole + values(NOISY)) / 2, abs=1e-4)


def test_what_is_late_is_less_than_a_tenth_of_a_second() -> None:
    suppressor = NoiseSuppressor(1.0)
    settled = sum(len(suppressor.process(NOISY[at : at + 640])) for at in range(0, len(NOISY), 640))
    assert 2 * DELAY < len(NOISY) - settled < 2 * RATE / 10


def test_an_utterance_leaves_nothing_to_the_next() -> None:
    suppressor = NoiseSuppressor(0.6)
    first = suppressor.process(NOISY) + suppressor.finish()
    again = suppressor.process(NOISY) + suppressor.finish()
    assert first == again


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=8))
def test_samples_come_out_one_for_one_however_they_are_cut(sizes: list[int]) -> None:
    data = NOISY[: 2 * sum(sizes)]
    suppressor, at, made = NoiseSuppressor(0.6), 0, b""
    for size in sizes:
        made += suppressor.process(data[at : at + 2 * size])
        at += 2 * size
    assert made + suppressor.finish() == suppressed(data, 0.6)


def test_a_whole_recording_is_a_stream_too() -> None:
    recording = np.frombuffer(NOISY, "<i2") / 32_768
    whole = suppress(recording, 0.6)
    assert whole * 32_768 == pytest.approx(np.frombuffer(suppressed(NOISY, 0.6), "<i2"))
    assert suppress(recording, 0.0) == pytest.approx(recording)


@pytest.mark.parametrize("level", [0, 32767, -32768])
def test_silence_and_the_loudest_sound_pass(level: int) -> None:
    data = np.full(RATE, level, "<i2").tobytes()
    assert len(suppressed(data, 0.6)) == len(data)


@pytest.fixture
def loaded_anew() -> Iterator[None]:
    suppression._load.cache_clear()
    yield
    suppression._load.cache_clear()


@pytest.mark.usefixtures("loaded_anew")
def test_without_the_library_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "LIBRARIES", ("absent.so",))
    assert strength_of(None) == 0
    assert strength_of(0.0) == 0
    with pytest.raises(ModelError, match=r'pip install "intentd\[noise\]"'):
        strength_of(0.6)


@pytest.mark.usefixtures("loaded_anew")
def test_a_broken_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "librnnoise.so"
    broken.write_bytes(b"\x7fELF")
    monkeypatch.setattr(suppression, "_find", lambda: broken)
    with pytest.raises(ModelError, match=r"librnnoise\.so: .*; install pyrnnoise again"):
        NoiseSuppressor(0.6)
