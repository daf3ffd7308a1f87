"""Microphones that come and go, with a real sound server: the daemon says so and goes on.

Few times here; ``INTENTD_LONG=1`` makes it 20 unplugs and 5 deaths of the server (``make soak``).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine, wait_for
from virtual_microphone import VirtualMicrophone

from pipeline.client import Subscriber
from pipeline.events import Event, IntentEvent, StateEvent

pytestmark = [
    pytest.mark.needs("pulseaudio", "pulseaudio"),
    pytest.mark.needs("pactl", "pulseaudio-utils"),
    pytest.mark.needs("paplay", "pulseaudio-utils"),
    pytest.mark.timeout(300 if os.environ.get("INTENTD_LONG") == "1" else 60),
]
Configure = Callable[..., Path]
LONG = os.environ.get("INTENTD_LONG") == "1"
UNPLUGS, DEATHS = (20, 5) if LONG else (3, 1)
RESUME_SECONDS = 2.0
"""From the device's return to its first state of being heard again."""

PATIENCE = 15.0


class Listener:
    """A daemon that hears the virtual microphone, and the states that it publishes."""

    def __init__(
        self,
        intentd: CommandLine,
        microphone: VirtualMicrophone,
        configure: Configure,
        **source: object,
    ) -> None:
        intentd.environment |= {
            key: value for key, value in microphone.environment.items() if key != "XDG_RUNTIME_DIR"
        }
        self.daemon = intentd.start_daemon(
            configure(sources=[{"type": "microphone", "name": "bar", **source}])
        )
        self.states = Subscriber("state/")
        assert self.states.wait_connected(5)

    def wait_for(self, state: str) -> StateEvent:
        event = wait_for(self.states, lambda e: is_state(e, state), PATIENCE)
        assert isinstance(event, StateEvent), f"no {state}"
        return event

    def close(self) -> None:
        self.states.close()
        assert self.daemon.poll() is None, "it went on all the time"


def is_state(event: Event, state: str) -> bool:
    return isinstance(event, StateEvent) and (event.source, event.state) == ("bar", state)


def test_unplugged_and_replugged_it_resumes_each_time_within_two_seconds(
    intentd: CommandLine, configure: Configure, virtual_microphone: VirtualMicrophone
) -> None:
    listener = Listener(intentd, virtual_microphone, configure)
    took = []
    for _ in range(UNPLUGS):
        time.sleep(1.0)
        virtual_microphone.unplug()
        listener.wait_for("device-lost")
        virtual_microphone.replug()
        began = time.monotonic()
        listener.wait_for("device-found")
        took.append(time.monotonic() - began)
    listener.close()
    print(f"{UNPLUGS} unplugs: resumed after {min(took):.1f} to {max(took):.1f} s")
    assert max(took) < RESUME_SECONDS


def test_after_the_sound_servers_death_it_hears_again(
    intentd: CommandLine,
    configure: Configure,
    virtual_microphone: VirtualMicrophone,
    recordings: Path,
) -> None:
    listener = Listener(intentd, virtual_microphone, configure)
    for _ in range(DEATHS):
        time.sleep(1.0)
        virtual_microphone.kill_server()
        listener.wait_for("device-lost")
        virtual_microphone.start_server()
        began = time.monotonic()
        listener.wait_for("device-found")
        assert time.monotonic() - began < RESUME_SECONDS
    time.sleep(2.0)
    with Subscriber("intent/") as intents:
        assert intents.wait_connected(5)
        virtual_microphone.play(recordings / "coffee/make-me-a-medium-cappuccino.wav").wait(20)
        event = wait_for(intents, lambda e: isinstance(e, IntentEvent), 10)
        assert isinstance(event, IntentEvent)
        assert "medium cappuccino" in event.text
    listener.close()
    print(f"{DEATHS} deaths of the server: heard again each time")


def test_a_server_that_hangs_without_an_error_is_noticed_and_comes_back(
    intentd: CommandLine, configure: Configure, virtual_microphone: VirtualMicrophone
) -> None:
    """No callback, no error, even closing it does not return; a stop then still ends in time."""
    listener = Listener(intentd, virtual_microphone, configure, watchdog=1.5)
    time.sleep(3.0)
    virtual_microphone.freeze()
    began = time.monotonic()
    lost = listener.wait_for("device-lost")
    assert "no audio came for 1.5 s" in lost.detail
    assert time.monotonic() - began < 1.5 + 3.0
    assert "does not answer" in listener.wait_for("device-waiting").detail
    virtual_microphone.thaw()
    began = time.monotonic()
    listener.wait_for("device-found")
    assert time.monotonic() - began < RESUME_SECONDS + 1.0
    time.sleep(2.0)
    virtual_microphone.freeze()
    listener.wait_for("device-lost")
    listener.states.close()
    listener.daemon.terminate()
    began = time.monotonic()
    listener.daemon.wait(20)
    assert time.monotonic() - began < 10
    virtual_microphone.thaw()


def test_started_before_the_sound_server_it_waits_and_then_hears(
    intentd: CommandLine, configure: Configure, virtual_microphone: VirtualMicrophone
) -> None:
    virtual_microphone.kill_server()
    listener = Listener(intentd, virtual_microphone, configure)
    assert "no microphone found" in listener.wait_for("device-lost").detail
    virtual_microphone.start_server()
    began = time.monotonic()
    listener.wait_for("device-found")
    assert time.monotonic() - began < RESUME_SECONDS
    listener.close()


def test_a_device_whose_index_has_changed_is_found_by_its_name(
    intentd: CommandLine, configure: Configure, virtual_microphone: VirtualMicrophone
) -> None:
    """attic is listed before kitchen; when kitchen comes back, it is gone."""
    virtual_microphone.name_devices("attic", "kitchen")
    virtual_microphone.plug("kitchen")
    listener = Listener(intentd, virtual_microphone, configure, device="kitchen")
    before = index_of("kitchen", intentd)
    virtual_microphone.unplug()
    listener.wait_for("device-lost")
    virtual_microphone.name_devices("kitchen")
    virtual_microphone.plug("kitchen")
    assert "kitchen" in listener.wait_for("device-found").detail
    assert index_of("kitchen", intentd) != before, "else this test shows nothing"
    listener.close()


def index_of(name: str, intentd: CommandLine) -> int:
    devices = [json.loads(line) for line in intentd("devices", "--json").stdout.splitlines()]
    return next(device["index"] for device in devices if device["name"] == name)
