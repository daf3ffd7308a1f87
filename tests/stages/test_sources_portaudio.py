"""Which device is meant, and what happens on machines without any."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from models.errors import SourceError
from stages.sources.portaudio import CapturedBlock, InputDevice, PortAudioCapture, choose


def device(index: int, name: str, *, default: bool = False) -> InputDevice:
    return InputDevice(
        name=name, host_api="ALSA", channels=2, sample_rate=48_000, default=default, index=index
    )


DEVICES = [
    device(0, "HDA Intel PCH: ALC257 (hw:0,0)"),
    device(1, "Jabra SPEAK 410 USB: Audio (hw:1,0)"),
    device(2, "Jabra SPEAK 510 USB: Audio (hw:2,0)"),
    device(3, "pulse"),
    device(4, "pulse monitor"),
    device(5, "default", default=True),
]


@pytest.mark.parametrize(
    ("name", "index"),
    [(None, 5), ("intel", 0), ("SPEAK 410", 1), ("pulse", 3), ("PULSE", 3), ("pulse, alsa", 3)],
)
def test_given_a_part_of_its_name_a_device_is_found(name: str | None, index: int) -> None:
    assert choose(DEVICES, name).index == index


def test_given_an_ambiguous_name_all_that_match_are_listed() -> None:
    with pytest.raises(SourceError, match=r"several.*'jabra'") as raised:
        choose(DEVICES, "jabra")
    assert "Jabra SPEAK 410 USB: Audio (hw:1,0), ALSA" in raised.value.message
    assert "Jabra SPEAK 510 USB: Audio (hw:2,0), ALSA" in raised.value.message


def test_given_a_name_that_nothing_has_the_error_tells_how_to_list_devices() -> None:
    with pytest.raises(SourceError, match=r"'webcam'.*intentd devices"):
        choose(DEVICES, "webcam")


def test_given_no_devices_the_error_tells_of_containers() -> None:
    with pytest.raises(SourceError, match="--device /dev/snd"):
        choose([], None)


def test_given_no_default_the_error_asks_for_a_name() -> None:
    with pytest.raises(SourceError, match="name one in the configuration"):
        choose(DEVICES[:2], None)


def python(code: str, root: os.PathLike[str], **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(root)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_given_no_portaudio_the_error_names_its_packages(pytestconfig: pytest.Config) -> None:
    code = """
import ctypes.util, sys
ctypes.util.find_library = lambda name: None
import _sounddevice
class Missing:
    def dlopen(self, name): raise OSError(name)
    def __getattr__(self, name): return getattr(_sounddevice_ffi, name)
_sounddevice_ffi, _sounddevice.ffi = _sounddevice.ffi, Missing()
from models.errors import SourceError
from stages.sources.microphone import MicrophoneSource
try:
    MicrophoneSource("kitchen").open()
except SourceError as error:
    print(error.message)
"""
    message = python(code, pytestconfig.rootpath)
    assert "libportaudio2" in message
    assert "portaudio (Fedora" in message
    assert "\n" not in message


def test_given_recordings_only_portaudio_is_not_loaded(pytestconfig: pytest.Config) -> None:
    code = """
import sys
from types import SimpleNamespace
from typing import Any
import stages.sources.microphone, stages.sources.recording, stages.sources.level
print("sounddevice" in sys.modules)
"""
    assert python(code, pytestconfig.rootpath) == "False"


class FakeSoundDevice:
    """PortAudio with one device that takes 2 channels at 48 kHz and nothing else."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        self.callback: Any = None
        self.finished: Any = None

    def check_input_settings(self, **settings: Any) -> None:
        if (settings["channels"], settings["samplerate"]) != (2, 48_000):
            raise self.PortAudioError("Invalid sample rate")

    def RawInputStream(self, **settings: Any) -> Any:  # noqa: N802
        self.callback, self.finished = settings["callback"], settings["finished_callback"]
        assert (settings["channels"], settings["samplerate"]) == (2, 48_000)
        return SimpleNamespace(start=lambda: None, abort=lambda **_: None, close=lambda **_: None)

    def deliver(self, value: int, *, overflow: bool = False) -> None:
        data = bytes([value]) * (4_800 * 4)
        self.callback(data, 4_800, None, SimpleNamespace(input_overflow=overflow))


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    fake = FakeSoundDevice()
    monkeypatch.setattr("stages.sources.portaudio.load", lambda: fake)
    return fake


def capture(seconds: float, rate: int | None = None) -> PortAudioCapture:
    return PortAudioCapture(DEVICES[1], rate=rate, seconds=seconds, now=lambda: 50.0)


def test_given_a_device_with_few_settings_one_that_it_has_is_taken(
    sounddevice: FakeSoundDevice,
) -> None:
    opened = capture(1)
    assert (opened.rate, opened.channels) == (48_000, 2)
    sounddevice.deliver(1)
    assert opened.blocks.get_nowait() == CapturedBlock(
        pcm=b"\1" * 19_200, captured=pytest.approx(49.9), dropped=0, overflow=False
    )
    opened.close()


def test_given_a_rate_that_the_device_lacks_it_is_not_opened(
    sounddevice: FakeSoundDevice,
) -> None:
    assert sounddevice.callback is None
    with pytest.raises(SourceError, match=r"Jabra SPEAK 410.*Invalid sample rate"):
        capture(1, rate=8_000)


def test_given_a_reader_that_is_late_what_does_not_fit_is_dropped_and_counted(
    sounddevice: FakeSoundDevice,
) -> None:
    opened = capture(0.3)
    for value in range(8):
        sounddevice.deliver(value, overflow=value == 5)
    kept = [opened.blocks.get_nowait() for _ in range(3)]
    sounddevice.deliver(8)
    sounddevice.deliver(9)
    kept += [opened.blocks.get_nowait() for _ in range(2)]
    assert [block.pcm[0] for block in kept if block] == [0, 1, 2, 8, 9]
    assert [block.dropped for block in kept if block] == [0, 0, 0, 5 * 4_800, 0]
    assert [block.overflow for block in kept if block] == [False, False, False, True, False]
    opened.close()


def test_given_a_device_that_ends_the_reader_is_woken_up(sounddevice: FakeSoundDevice) -> None:
    opened = capture(1)
    sounddevice.finished()
    assert opened.ended.is_set()
    assert opened.blocks.get_nowait() is None
    opened.close()
