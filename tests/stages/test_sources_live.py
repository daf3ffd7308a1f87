"""The microphone for real: PortAudio, ALSA and PulseAudio, whose null sink plays a recording."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytestmark = [
    pytest.mark.needs("pulseaudio", "pulseaudio"),
    pytest.mark.needs("pactl", "pulseaudio-utils"),
    pytest.mark.needs("paplay", "pulseaudio-utils"),
]

PATIENCE = 15.0
"""Seconds to wait for anything: PulseAudio takes 2 s to begin, a lost device 1 s and more."""


class Ear:
    """A MicrophoneSource in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], pcm: Path) -> None:
        self._process = process
        self._pcm = pcm
        self._unread = b""

    def expect(self, **fields: Any) -> dict[str, Any]:
        """The next message with these fields; those before it are passed over."""
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self._next(deadline)
            if message.items() >= fields.items():
                return message

    def wait_for(self, seconds: float) -> None:
        """Until as much audio has been heard in all."""
        deadline = time.monotonic() + PATIENCE
        while self._pcm.stat().st_size < seconds * 32_000:
            assert time.monotonic() < deadline, "no audio comes"
            time.sleep(0.05)

    def heard(self) -> np.ndarray:
        return np.frombuffer(self._pcm.read_bytes(), "<i2") / 32768

    def stop(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(PATIENCE)

    def _next(self, deadline: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            ready = select.select([self._process.stdout], [], [], deadline - time.monotonic())[0]
            assert ready, "no message comes"
            new = os.read(self._process.stdout.fileno(), 65_536)
            assert new, "the source has ended"
            self._unread += new
        line, self._unread = self._unread.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message


@pytest.fixture
def ear(
    virtual_microphone: Any, tmp_path: Path, pytestconfig: pytest.Config
) -> Iterator[Callable[..., Ear]]:
    processes: list[subprocess.Popen[bytes]] = []
    root = pytestconfig.rootpath

    def start(**options: Any) -> Ear:
        pcm = tmp_path / f"heard-{len(processes)}.pcm"
        script = root / "tests" / "stages" / "capture_microphone.py"
        process = subprocess.Popen(
            [sys.executable, str(script), str(pcm), json.dumps(options)],
            env=virtual_microphone.environment | {"PYTHONPATH": str(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        return Ear(process, pcm)

    yield start
    for process in processes:
        with process:
            process.kill()


@pytest.fixture
def recording(pytestconfig: pytest.Config) -> Path:
    name = "get-me-a-small-dark-roast-espresso.flac"
    return pytestconfig.rootpath / "tests" / "replays" / "coffee" / name


def likeness(heard: np.ndarray, said: np.ndarray) -> float:
    """Peak of the normalised cross-correlation: 1 if ``said`` is somewhere in ``heard``."""
    size = 1 << (len(heard) + len(said)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    correlation = np.fft.irfft(spectrum, size)[: len(heard) - len(said) + 1]
    place = int(correlation.argmax())
    part = heard[place : place + len(said)]
    return float(correlation[place] / np.sqrt((part @ part) * (said @ said)))


@pytest.mark.parametrize(
    ("virtual_microphone", "rate"),
    [(16_000, None), (48_000, 48_000)],
    indirect=["virtual_microphone"],
)
def test_given_a_recording_that_is_played_the_microphone_hears_it(
    virtual_microphone: Any, rate: int | None, ear: Callable[..., Ear], recording: Path
) -> None:
    said, _ = soundfile.read(recording)
    listener = ear(rate=rate)
    listener.expect(kind="hearing")
    virtual_microphone.play(recording).wait(PATIENCE)
    listener.wait_for(len(said) / 16_000 + 1)
    assert listener.stop() == 0
    end = listener.expect(kind="end-of-stream")
    heard = listener.heard()
    assert end["position"] == len(heard), "nothing was lost"
    assert likeness(heard, said) > 0.9


def test_given_a_microphone_that_is_unplugged_the_source_finds_it_again(
    virtual_microphone: Any, ear: Callable[..., Ear]
) -> None:
    listener = ear()
    first = listener.expect(kind="hearing")["stream"]
    virtual_microphone.unplug()
    assert listener.expect(kind="end-of-stream")["stream"] == first
    assert listener.expect(kind="state")["state"] == "device-lost"
    virtual_microphone.replug()
    assert listener.expect(kind="state")["state"] == "device-found"
    second = listener.expect(kind="hearing")["stream"]
    assert second != first

    virtual_microphone.kill_server()
    assert listener.expect(kind="state")["state"] == "device-lost"
    virtual_microphone.start_server()
    assert listener.expect(kind="state")["state"] == "device-found"
    assert listener.expect(kind="hearing")["stream"] not in (first, second)
    assert listener.stop() == 0


def test_given_no_microphone_the_source_waits_for_it_if_told_to(
    virtual_microphone: Any, ear: Callable[..., Ear]
) -> None:
    virtual_microphone.unplug()
    patient, hasty = ear(wait_for_device=True), ear()
    assert hasty.expect(kind="refused")["code"] == "no-microphone"
    assert patient.expect(kind="state")["state"] == "device-lost"
    virtual_microphone.replug()
    patient.expect(kind="state", state="device-found")
    patient.expect(kind="hearing")


def test_given_a_name_that_nothing_has_the_source_refuses(ear: Callable[..., Ear]) -> None:
    refusal = ear(device="webcam").expect(kind="refused")
    assert "'webcam'" in refusal["detail"]
    assert "intentd devices" in refusal["detail"]


def test_given_a_sound_its_level_is_measured(
    virtual_microphone: Any, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    tone = 0.1 * np.sqrt(2) * np.sin(2 * np.pi * 440 * np.arange(160_000) / 16_000)
    soundfile.write(tmp_path / "tone.wav", tone, 16_000)
    virtual_microphone.play(tmp_path / "tone.wav")
    code = "from stages.sources.level import measure_level; print(measure_level(None, 3.0))"
    environment = virtual_microphone.environment | {"PYTHONPATH": str(pytestconfig.rootpath)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert -30 < float(done.stdout) < -19.5
