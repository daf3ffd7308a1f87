"""The shipped speech model hears a domain's sentences, and takes other speech for foreign."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import vosk

from models.errors import ModelError
from models.vosk.assemble import Parts, assemble
from models.vosk.garbage import add_garbage_output

WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
RATE = 16_000


@pytest.fixture(scope="module")
def coffee(tmp_path_factory: pytest.TempPathFactory) -> vosk.Model:
    return load("vosk-coffee", tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> vosk.Model:
    return load("vosk-home", tmp_path_factory.mktemp("cache"))


def load(grammar: str, cache: Path) -> vosk.Model:
    vosk.SetLogLevel(-1)
    return vosk.Model(str(assemble(Parts(WEIGHTS / "vosk-en", WEIGHTS / grammar), cache)))


def speak(text: str, folder: Path) -> bytes:
    """``text`` spoken by a synthesizer, with half a second of silence at both ends."""
    wave = folder / "speech.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(wave)], check=True)
    samples, rate = soundfile.read(wave, dtype="int16")
    silence = bytes(RATE)
    return silence + soxr.resample(samples, rate, RATE).tobytes() + silence


def hear(model: vosk.Model, pcm: bytes) -> str:
    recogniser = vosk.KaldiRecognizer(model, RATE)
    for start in range(0, len(pcm), 6400):
        # True would mean that Vosk ended the utterance by itself.
        assert not recogniser.AcceptWaveform(pcm[start : start + 6400])
    return str(json.loads(recogniser.FinalResult())["text"])


@pytest.mark.needs("flite", "flite")
@pytest.mark.parametrize(
    "text",
    [
        "can i have a small iced coffee with some skim milk and brown sugar",
        "get me a double shot dark roast latte",
    ],
)
def test_given_an_order_then_it_is_heard(coffee: vosk.Model, tmp_path: Path, text: str) -> None:
    """But for the article: the domain lets "an" stand before any drink, and it means nothing."""
    heard = hear(coffee, speak(text, tmp_path))
    assert heard.replace(" an ", " a ") == text


@pytest.mark.needs("flite", "flite")
@pytest.mark.parametrize(
    "text",
    [
        "the committee will publish its annual report on thursday",
        "my grandmother used to tell us stories about the old lighthouse",
    ],
)
def test_given_foreign_speech_then_it_is_unknown(
    coffee: vosk.Model, tmp_path: Path, text: str
) -> None:
    assert set(hear(coffee, speak(text, tmp_path)).split()) == {"[unk]"}


@pytest.mark.needs("flite", "flite")
@pytest.mark.parametrize(
    "text", ["turn on the lights in the kitchen", "set a timer for ten minutes"]
)
def test_given_a_command_for_the_home_then_it_is_heard(
    home: vosk.Model, tmp_path: Path, text: str
) -> None:
    assert hear(home, speak(text, tmp_path)) == text


def test_given_silence_then_nothing_is_heard(coffee: vosk.Model) -> None:
    assert hear(coffee, bytes(2 * RATE * 3)) == ""


def test_given_noise_then_it_takes_a_fraction_of_its_duration(coffee: vosk.Model) -> None:
    seconds = 15
    hum = np.sign(np.sin(np.arange(seconds * RATE) * 2 * np.pi * 120 / RATE)) * 30_000
    begun = time.process_time()
    hear(coffee, hum.astype("<i2").tobytes())
    # With Kaldi's incremental determinization it was half of it, and more for longer noise.
    assert time.process_time() - begun < 0.15 * seconds


@pytest.mark.needs("flite", "flite")
def test_given_a_long_pause_in_an_order_then_vosk_does_not_end_it(
    coffee: vosk.Model, tmp_path: Path
) -> None:
    first = speak("get me a small coffee", tmp_path)
    rest = speak("with milk", tmp_path)
    heard = hear(coffee, first + bytes(2 * RATE * 3) + rest)
    assert heard == "get me a small coffee with milk"


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (b"not a model", "it has no <Nnet3>"),
        (b"\0B<TransitionModel> <Nnet3> ", "subsection not found"),
        ((WEIGHTS / "vosk-en" / "am" / "final.mdl").read_bytes(), "it has one already"),
    ],
)
def test_given_an_unfit_model_then_a_garbage_output_is_refused(model: bytes, problem: str) -> None:
    with pytest.raises(ModelError, match=f"not a model that a garbage output fits: {problem}"):
        add_garbage_output(model)
