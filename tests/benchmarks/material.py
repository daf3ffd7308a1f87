"""Audio to measure with: shipped recordings joined by pauses, and a room in which a fan runs."""

from __future__ import annotations

import random
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stages.messages import SAMPLE_RATE
from stages.sources.decoding import decode
from stages.sources.paths import expand_path

ROOT = Path(__file__).resolve().parents[2]
SPOKEN = ROOT / "tests" / "replays" / "coffee"

SEED = 20
PAUSES = (1.5, 3.0)
"""Seconds between two utterances: longer than the endpoint's silence, as short as people wait."""

PAUSE_DBFS = -60.0
ROOM_DBFS = -50.0

HUM_HZ = 100.0
HUM_SHARE = 0.3
"""Share of the power that is the fan's hum; the rest is its rush of air."""

Samples = npt.NDArray[np.int16]


def shipped() -> list[Samples]:
    """The shipped recordings, decoded as the daemon decodes them: int16 [samples], 16 kHz."""
    return [np.frombuffer(b"".join(decode(path)), "<i2") for path in expand_path(str(SPOKEN))]


def room_tone(seconds: float, dbfs: float, seed: int = SEED) -> Samples:
    """A quiet room with a fan: pink noise and a hum with harmonics, as loud as ``dbfs`` (RMS)."""
    count = round(seconds * SAMPLE_RATE)
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    rush = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 20.0)), count)
    # A fan never turns quite evenly: the hum wavers by half a percent, once in three seconds.
    time = np.arange(count) / SAMPLE_RATE
    phase = 2 * np.pi * HUM_HZ * time + 1.5 * np.sin(2 * np.pi * time / 3)
    hum = sum(np.sin(n * phase) / n**1.5 for n in range(1, 9))
    tone = np.sqrt(1 - HUM_SHARE) * rush / _rms(rush) + np.sqrt(HUM_SHARE) * hum / _rms(hum)
    level = 32768 * 10 ** (dbfs / 20)
    samples: Samples = np.clip(np.round(level * tone / _rms(tone)), -32768, 32767).astype(np.int16)
    return samples


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))


def utterances(count: int | None = None) -> Iterator[Samples]:
    """Shipped recordings in a shuffled order, each once in every round; endless without count."""
    recordings = shipped()
    chance = random.Random(SEED)
    given = 0
    while True:
        order = recordings.copy()
        chance.shuffle(order)
        for recording in order:
            if count is not None and given >= count:
                return
            yield recording
            given += 1


def conversation(spoken: Sequence[Samples], seed: int = SEED) -> Samples:
    """Utterances with pauses of room tone before, between and behind them."""
    chance = random.Random(seed)
    room = room_tone(10 * PAUSES[1], PAUSE_DBFS, seed)

    def pause() -> Samples:
        length = round(chance.uniform(*PAUSES) * SAMPLE_RATE)
        start = chance.randrange(len(room) - length)
        return room[start : start + length]

    pieces = [pause()]
    for utterance in spoken:
        pieces += [utterance, pause()]
    return np.concatenate(pieces)


def write_recordings(folder: Path, seconds: float, count: int) -> list[Path]:
    """``count`` WAV files that last about ``seconds`` together."""
    spoken = utterances()
    pause = sum(PAUSES) / 2 * SAMPLE_RATE
    paths = []
    written = 0
    for number in range(count):
        chosen: list[Samples] = []
        end = (number + 1) * seconds / count * SAMPLE_RATE
        expected = written + pause
        while not chosen or expected + len(chosen[-1]) / 2 < end:
            chosen.append(next(spoken))
            expected += len(chosen[-1]) + pause
        samples = conversation(chosen, number)
        written += len(samples)
        paths.append(write_wav(folder / f"recording-{number:02d}.wav", samples))
    return paths


def write_wav(path: Path, samples: Samples) -> Path:
    """Write 16-bit mono at 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def read_wav(path: Path) -> bytes:
    """The samples of such a file, as int16 little-endian."""
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())


def duration(path: Path) -> float:
    """Seconds."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / SAMPLE_RATE
