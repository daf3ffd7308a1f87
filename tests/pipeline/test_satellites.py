"""Two rooms, one hub: satellites with keys send recordings, the hub's events come back."""

from __future__ import annotations

import json
import socket as unix
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine, wait_for

from models.errors import ConfigurationError
from pipeline.client import Subscriber
from pipeline.events import Event, IntentEvent, StateEvent
from pipeline.loading import parse_configuration
from pipeline.security.keys import KeyFolder

Configure = Callable[..., Path]
SPOKEN = {
    "kitchen": "make-me-a-medium-cappuccino.wav",
    "study": "id-like-an-americano-with-sweetener.wav",
}
DRINKS = {"kitchen": "cappuccino", "study": "americano"}


def free_port() -> int:
    with unix.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def drink(event: Event) -> object:
    assert isinstance(event, IntentEvent)
    return {slot.name: slot.value for slot in event.slots}.get("coffeeDrink")


@pytest.mark.parametrize(("placement", "codec"), [("process", "opus"), ("thread", "pcm")])
def test_two_satellites_at_once_are_heard_under_the_names_of_their_keys(
    intentd: CommandLine,
    configure: Configure,
    recordings: Path,
    tmp_path: Path,
    placement: str,
    codec: str,
) -> None:
    if codec == "opus":
        pytest.importorskip("av")
    keys = KeyFolder(tmp_path / "keys")
    server = keys.create("server").public
    for name in SPOKEN:
        keys.allow(name, keys.create(name).public)
    audio, events = free_port(), free_port()
    intentd.start_daemon(
        configure(
            placement=placement,
            sources=[{"type": "satellite", "endpoint": f"tcp://0.0.0.0:{audio}"}],
            publisher={"endpoints": [f"tcp://0.0.0.0:{events}"]},
            security={"keys": str(keys.path)},
        )
    )

    def send(name: str) -> subprocess.Popen[str]:
        return intentd.start(
            *("satellite", "--hub", f"tcp://127.0.0.1:{audio}", "--codec", codec, "--json"),
            *("--server-key", server, "--key", str(keys.path / "own" / f"{name}.key")),
            *("--recording", str(recordings / "coffee" / SPOKEN[name])),
        )

    with Subscriber("intent/") as subscriber:
        assert subscriber.wait_connected(5)
        satellites = {name: send(name) for name in SPOKEN}
        heard = [wait_for(subscriber, is_any, 20) for _ in SPOKEN]
        assert {e.source: drink(e) for e in heard if e} == DRINKS
    for name, satellite in satellites.items():
        out, err = satellite.communicate(timeout=20)
        assert satellite.returncode == 0, err
        assert "connected" in err
        shown = [json.loads(line) for line in out.splitlines()]
        assert ("intent", name) in {(event["type"], event["source"]) for event in shown}


def test_a_revoked_satellite_is_cut_off_and_the_other_one_goes_on(
    intentd: CommandLine, configure: Configure, recordings: Path, tmp_path: Path
) -> None:
    keys = KeyFolder(tmp_path / "keys")
    server = keys.create("server").public
    for name in SPOKEN:
        keys.allow(name, keys.create(name).public)
    port = free_port()
    intentd.start_daemon(
        configure(
            sources=[{"type": "satellite", "endpoint": f"tcp://0.0.0.0:{port}"}],
            security={"keys": str(keys.path)},
        )
    )
    long = [str(recordings / "coffee" / SPOKEN["kitchen"])] * 8
    with Subscriber("state/") as subscriber:
        assert subscriber.wait_connected(5)
        for name in SPOKEN:
            intentd.start(
                *("satellite", "--hub", f"tcp://127.0.0.1:{port}", "--codec", "pcm"),
                *("--server-key", server, "--key", str(keys.path / "own" / f"{name}.key")),
                *(argument for path in long for argument in ("--recording", path)),
            )
        found = {
            e.source for _ in SPOKEN if (e := wait_for(subscriber, is_state("satellite-found")))
        }
        assert found == set(SPOKEN)
        assert intentd("keys", "revoke", "study", "--dir", str(keys.path)).returncode == 0
        lost = wait_for(subscriber, is_state("satellite-lost"), 5)
        assert isinstance(lost, StateEvent)
        assert (lost.source, lost.detail) == ("study", "its key was revoked")
    with Subscriber("intent/") as subscriber:
        event = wait_for(subscriber, is_any, 20)
        assert event is not None
        assert event.source == "kitchen"


def is_any(_event: Event) -> bool:
    return True


def is_state(state: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StateEvent) and event.state == state


def test_no_voice_leaves_the_machine_in_the_clear(intentd: CommandLine) -> None:
    done = intentd("satellite", "--hub", "tcp://192.0.2.1:5560")
    assert done.returncode == 2
    assert "--server-key and --key" in done.stderr


def test_a_hub_that_refuses_ends_the_satellite_with_the_mend(
    intentd: CommandLine, configure: Configure, recordings: Path, tmp_path: Path
) -> None:
    keys = KeyFolder(tmp_path / "keys")
    server = keys.create("server").public
    keys.create("stranger")
    port = free_port()
    intentd.start_daemon(
        configure(
            sources=[{"type": "satellite", "endpoint": f"tcp://0.0.0.0:{port}"}],
            security={"keys": str(keys.path)},
        )
    )
    done = intentd(
        *("satellite", "--hub", f"tcp://127.0.0.1:{port}", "--server-key", server),
        *("--key", str(keys.path / "own/stranger.key")),
        *("--recording", str(recordings / "coffee" / SPOKEN["kitchen"])),
    )
    assert done.returncode == 2
    assert "intentd keys allow" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_beyond_loopback_needs_a_key_to_be_configured(tmp_path: Path) -> None:
    text = "sources:\n- {type: satellite, endpoint: 'tcp://*:5560'}\nsecurity: {keys: k}\n"
    with pytest.raises(ConfigurationError, match=r"c.yaml:2: sources\[0\].endpoint: .*keys new"):
        parse_configuration(text, tmp_path / "c.yaml")
