"""The daemon in processes of its own: start, stop, and what it refuses."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import zmq
from command_line import CommandLine, wait_for

from pipeline.client import Subscriber
from pipeline.events import (
    ErrorEvent,
    IntentEvent,
    NotRecognizedEvent,
    PartialEvent,
)

Configure = Callable[..., Path]
PLACEMENTS = ["process", "thread"]


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_leaves_nothing_behind(
    intentd: CommandLine, configure: Configure, placement: str, number: signal.Signals
) -> None:
    daemon = intentd.start_daemon(configure(placement=placement))
    family = [psutil.Process(daemon.pid), *psutil.Process(daemon.pid).children(recursive=True)]
    with Subscriber("state/") as subscriber:
        subscriber.wait_connected(5)
        # As a terminal does it: Ctrl-C goes to every process of the group.
        begun = time.monotonic()
        os.killpg(daemon.pid, number)
        _, errors = daemon.communicate(timeout=20)
        assert time.monotonic() - begun < 8
        states = [e.state for e in iter(lambda: subscriber.receive(0.5), None)]  # type: ignore[union-attr]
    assert daemon.returncode == 0, errors
    assert states[-2:] == ["stopping", "stopped"]
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert [p.name for p in (intentd.directory).iterdir()] == ["lock"]
    assert "Traceback" not in errors


def test_what_is_being_said_when_it_is_told_to_stop_is_still_published(
    intentd: CommandLine, configure: Configure, recordings: Path
) -> None:
    recording = recordings / "coffee" / "make-me-a-medium-cappuccino.wav"
    with Subscriber("partial/", "transcript/", "intent/", "not-recognized/") as subscriber:
        daemon = intentd.start("run", "-c", str(configure(recording)))
        partial = wait_for(
            subscriber, lambda e: isinstance(e, PartialEvent) and "medium" in e.text.split()
        )
        daemon.send_signal(signal.SIGTERM)
        event = wait_for(subscriber, lambda e: isinstance(e, IntentEvent | NotRecognizedEvent))
    assert partial is not None
    assert event is not None
    assert event.id == partial.id
    daemon.communicate(timeout=20)
    assert daemon.returncode == 0


def test_a_second_daemon_is_refused_and_the_first_goes_on(
    intentd: CommandLine, configure: Configure
) -> None:
    intentd.start_daemon(configure())
    second = intentd("run", "-c", str(configure()))
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert "another intentd runs here" in second.stderr
    assert (
        "orderDrink"
        in intentd("say", "a small latte please give me").stdout
        + intentd("say", "give me a small latte").stdout
    )


def test_when_the_daemon_is_killed_its_workers_leave(
    intentd: CommandLine, configure: Configure
) -> None:
    daemon = intentd.start_daemon(configure())
    family = psutil.Process(daemon.pid).children(recursive=True)
    assert len(family) == 5
    daemon.kill()
    assert not psutil.wait_procs(family, timeout=10)[1]


def test_after_a_kill_it_starts_again_in_the_same_place(
    intentd: CommandLine, configure: Configure
) -> None:
    daemon = intentd.start_daemon(configure())
    children = psutil.Process(daemon.pid).children(recursive=True)
    daemon.kill()
    psutil.wait_procs(children, timeout=10)
    intentd.start_daemon(configure())
    assert intentd("say", "give me a latte").returncode == 0


def test_garbage_on_every_socket_is_dropped_and_the_daemon_goes_on(
    intentd: CommandLine, configure: Configure
) -> None:
    intentd.start_daemon(configure())
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    kinds = {"control": zmq.DEALER, "workers": zmq.DEALER, "events": zmq.XSUB}
    with Subscriber("error/") as subscriber:
        subscriber.wait_connected(5)
        names = sorted(p.name for p in intentd.directory.iterdir() if p.is_socket())
        assert {"control", "workers", "events", "segmenter", "publisher"} <= set(names)
        for name in names:
            socket = context.socket(kinds.get(name, zmq.PUSH))
            socket.setsockopt(zmq.LINGER, 2000)
            socket.connect(f"ipc://{intentd.directory / name}")
            for garbage in ([b"\xff" * 50], [b""], [b"a", b"b", b"c"], [b"\1\x81\xa4kind\xa3xyz"]):
                socket.send_multipart(garbage)
            socket.close()
        told = []
        for _ in range(4):
            event = subscriber.receive(5)
            assert isinstance(event, ErrorEvent), f"only told: {told}"
            told.append(event.detail.partition(":")[0])
            assert event.code == "garbage"
    context.term()
    assert sorted(told) == ["publisher", "segmenter", "transcriber-0", "understander-0"]
    assert intentd("say", "give me a latte").returncode == 0


def test_an_oversized_frame_does_not_hurt(intentd: CommandLine, configure: Configure) -> None:
    intentd.start_daemon(configure())
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.PUSH)
    socket.setsockopt(zmq.LINGER, 500)
    socket.connect(f"ipc://{intentd.directory / 'segmenter'}")
    socket.send(bytes(8 << 20))
    socket.close()
    context.term()
    assert intentd("say", "give me a latte").returncode == 0


def test_the_socket_directory_is_for_the_user_alone(
    intentd: CommandLine, configure: Configure
) -> None:
    intentd.start_daemon(configure())
    assert intentd.directory.stat().st_mode & 0o777 == 0o700


def test_a_port_in_use_is_named(intentd: CommandLine, configure: Configure) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context.socket(zmq.PUB) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        endpoint = f"tcp://127.0.0.1:{port}"
        done = intentd("run", "-c", str(configure(publisher={"endpoints": [endpoint]})))
    context.term()
    assert done.returncode == 2
    assert done.stderr == (
        f"intentd: error: {endpoint}: the port is in use; stop what uses it or choose another\n"
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_several_sources_feed_one_daemon_each_with_its_name(
    intentd: CommandLine, configure: Configure, recordings: Path, workers: int
) -> None:
    latte = recordings / "coffee" / "can-i-have-a-double-shot-latte-with-almond-milk.mp3"
    espresso = recordings / "coffee" / "get-me-a-small-dark-roast-espresso.flac"
    path = configure(
        sources=[
            {"type": "recording", "name": "kitchen", "paths": [str(latte)]},
            {"type": "recording", "name": "bar", "paths": [str(espresso)], "pace": "fast"},
        ],
        transcriber={"model": "vosk-en", "grammar": "vosk-coffee", "workers": workers},
    )
    with Subscriber("intent/", timeout=20) as subscriber:
        daemon = intentd.start("run", "-c", str(path))
        found = {event.source: event.text for event in itertools.islice(subscriber, 2)}  # type: ignore[union-attr]
    assert found == {
        "kitchen": "can i have a double shot latte with almond milk",
        "bar": "get me a small dark roast espresso",
    }
    _, errors = daemon.communicate(timeout=20)
    assert daemon.returncode == 0, f"it ends when its recordings end: {errors}"


def test_logs_are_json_where_no_terminal_is(intentd: CommandLine, configure: Configure) -> None:
    daemon = intentd.start_daemon(configure(log={"level": "info"}))
    daemon.terminate()
    _, errors = daemon.communicate(timeout=20)
    records = [json.loads(line) for line in errors.splitlines()]
    assert {"time", "level", "logger", "message"} <= records[0].keys()
    assert any(record["message"] == "ready" for record in records)


def test_a_source_that_has_finished_is_not_taken_for_dead(
    intentd: CommandLine, configure: Configure, recordings: Path, tmp_path: Path
) -> None:
    espresso = recordings / "coffee" / "get-me-a-small-dark-roast-espresso.flac"
    configure()
    path = configure(
        sources=[
            {"type": "recording", "name": "room", "paths": [str(tmp_path / "room.wav")]},
            {"type": "recording", "name": "bar", "paths": [str(espresso)], "pace": "fast"},
        ]
    )
    with Subscriber("intent/") as subscriber:
        daemon = intentd.start_daemon(path)
        wait_for(subscriber, lambda e: isinstance(e, IntentEvent), timeout=5)
        time.sleep(1)
        daemon.terminate()
    _, errors = daemon.communicate(timeout=20)
    assert daemon.returncode == 0, errors
