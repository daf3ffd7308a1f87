"""The daemon hears a real, if virtual, microphone: PulseAudio playing a recording."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine, wait_for
from virtual_microphone import VirtualMicrophone

from pipeline.client import Subscriber
from pipeline.events import IntentEvent, StateEvent

pytestmark = [
    pytest.mark.needs("pulseaudio", "pulseaudio"),
    pytest.mark.needs("pactl", "pulseaudio-utils"),
]
Configure = Callable[..., Path]
RECORDING = "coffee/make-me-a-medium-cappuccino.wav"


def listen_to(
    intentd: CommandLine, microphone: VirtualMicrophone, configuration: Path, recording: Path
) -> list[object]:
    """The intents that come while the recording is played three times."""
    intentd.environment |= {
        key: value for key, value in microphone.environment.items() if key != "XDG_RUNTIME_DIR"
    }
    intentd.start_daemon(configuration)
    found: list[object] = []
    with Subscriber("intent/") as subscriber:
        subscriber.wait_connected(5)
        for _ in range(3):
            microphone.play(recording).wait(20)
            event = wait_for(subscriber, lambda e: isinstance(e, IntentEvent), timeout=5)
            if event is not None:
                found.append(event)
    return found


@pytest.mark.parametrize(
    ("virtual_microphone", "placement"),
    [(16_000, "process"), (48_000, "thread")],
    indirect=["virtual_microphone"],
)
def test_a_spoken_order_becomes_an_intent(
    intentd: CommandLine,
    configure: Configure,
    virtual_microphone: VirtualMicrophone,
    recordings: Path,
    placement: str,
) -> None:
    source = {"type": "microphone", "name": "bar"}
    path = configure(sources=[source], placement=placement)
    events = listen_to(intentd, virtual_microphone, path, recordings / RECORDING)
    assert len(events) >= 2
    for event in events:
        assert isinstance(event, IntentEvent)
        assert event.source == "bar"
        assert "medium cappuccino" in event.text
        assert {slot.name: slot.value for slot in event.slots} == {
            "size": "medium",
            "coffeeDrink": "cappuccino",
        }


def test_an_unplugged_microphone_is_told_and_heard_again_when_it_is_back(
    intentd: CommandLine,
    configure: Configure,
    virtual_microphone: VirtualMicrophone,
) -> None:
    intentd.environment |= {
        key: value
        for key, value in virtual_microphone.environment.items()
        if key != "XDG_RUNTIME_DIR"
    }
    intentd.start_daemon(configure(sources=[{"type": "microphone", "name": "bar"}]))
    with Subscriber("state/") as subscriber:
        subscriber.wait_connected(5)
        virtual_microphone.unplug()
        assert wait_for(subscriber, lambda e: state(e) == "device-lost", timeout=15)
        virtual_microphone.replug()
        assert wait_for(subscriber, lambda e: state(e) == "device-found", timeout=15)


def state(event: object) -> str:
    return event.state if isinstance(event, StateEvent) else ""


def test_a_daemon_without_a_microphone_waits_for_one(
    intentd: CommandLine, configure: Configure
) -> None:
    intentd.environment["PULSE_SERVER"] = "unix:/nowhere"
    intentd.start_daemon(configure(sources=[{"type": "microphone", "device": "no such thing"}]))
    with Subscriber("state/") as subscriber:
        assert wait_for(subscriber, lambda e: state(e) == "ready", timeout=5)
    assert intentd("say", "give me a latte").returncode == 0


def test_devices_lists_it_and_check_measures_its_level(
    intentd: CommandLine, configure: Configure, virtual_microphone: VirtualMicrophone
) -> None:
    intentd.environment |= virtual_microphone.environment
    intentd.environment["XDG_RUNTIME_DIR"] = str(intentd.directory.parent)
    listed = intentd("devices")
    assert listed.returncode == 0
    assert "pulse" in listed.stdout or "default" in listed.stdout
    checked = intentd("check", "-c", str(configure(sources=[{"type": "microphone"}])))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "dBFS" in checked.stdout


def test_check_names_the_mend_when_a_port_is_in_use(
    intentd: CommandLine, configure: Configure
) -> None:
    import zmq

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context.socket(zmq.PUB) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        path = configure(publisher={"endpoints": [f"tcp://127.0.0.1:{port}"]})
        done = intentd("check", "--no-microphone", "-c", str(path))
    context.term()
    assert done.returncode == 2
    assert f"127.0.0.1:{port}: the port is in use" in done.stdout


def test_without_portaudio_recordings_still_work(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    """PortAudio is imported by microphones only."""
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    intentd.environment["PYTHONPATH"] = str(tmp_path)
    shutil.copy(recordings / RECORDING, tmp_path / "x.wav")
    done = intentd("replay", str(tmp_path / "x.wav"), "-c", "coffee")
    assert (done.returncode, done.stderr) == (0, "")
    assert "orderDrink" in done.stdout
    listed = intentd("devices")
    assert listed.returncode == 2
    assert "libportaudio2" in listed.stderr
