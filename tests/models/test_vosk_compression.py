"""Acoustic models with their weights in fewer bits are the same models."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from models.errors import ModelError
from models.vosk.assemble import Parts, assemble
from models.vosk.compression import compress_acoustics
from models.vosk.nnet3 import read_affines
from models.vosk.recogniser import SpeechModel

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "weights"
RECORDING = ROOT / "tests" / "replays" / "coffee" / "make-me-a-medium-cappuccino.wav"


@pytest.fixture(scope="module")
def shipped() -> bytes:
    return (WEIGHTS / "vosk-en" / "am" / "final.mdl").read_bytes()


@pytest.mark.parametrize(("bits", "share"), [(16, 0.55), (8, 0.3)])
def test_given_fewer_bits_then_it_is_smaller_and_each_weight_nearly_the_same(
    shipped: bytes, bits: int, share: float
) -> None:
    wide = read_affines(shipped)
    if any(len(affine.weights.tobytes()) * 2 > len(shipped) for affine in wide.values()):
        pytest.skip("the shipped model is no model of many layers")
    small = compress_acoustics(shipped, bits)
    assert len(small) <= share * len(shipped) or b"CM" in shipped
    back = read_affines(small)
    assert back.keys() == wide.keys()
    for name, affine in wide.items():
        step = np.ptp(affine.weights) / (2**bits - 1)
        assert np.abs(back[name].weights - affine.weights).max() <= 0.51 * step + 1e-6
        assert np.array_equal(back[name].bias, affine.bias)


@pytest.mark.parametrize("bits", [16, 8])
def test_given_fewer_bits_then_vosk_hears_the_same(
    shipped: bytes, bits: int, tmp_path: Path
) -> None:
    base = shutil.copytree(WEIGHTS / "vosk-en", tmp_path / "base")
    (base / "am" / "final.mdl").write_bytes(compress_acoustics(shipped, bits))
    model = SpeechModel(assemble(Parts(base, WEIGHTS / "vosk-coffee"), tmp_path / "cache"))
    recogniser = model.recogniser()
    samples, rate = soundfile.read(RECORDING, dtype="int16")
    recogniser.accept(soxr.resample(samples, rate, 16_000).tobytes())
    assert recogniser.finish().text == "make me a medium cappuccino"


def test_given_a_compressed_model_then_it_stays_as_it_is(shipped: bytes) -> None:
    small = compress_acoustics(shipped, 8)
    assert compress_acoustics(small, 16) == small


def test_given_a_model_that_is_cut_off_then_the_error_says_so(shipped: bytes) -> None:
    at = shipped.index(b"FM \x04") + 500 if b"FM \x04" in shipped else 0
    if not at:
        pytest.skip("the shipped model has no matrix that could be compressed")
    with pytest.raises(ModelError, match=r"can't be compressed: it ends in the numbers"):
        compress_acoustics(shipped[:at], 8)
