"""Stages that hang, that die again and again, and a capture that dies."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
from command_line import CommandLine, wait_for
from conversation import make_conversation

from pipeline.client import Subscriber
from pipeline.events import ErrorEvent, PartialEvent, StateEvent, TranscriptEvent

Configure = Callable[..., Path]


def worker(daemon: int, name: str) -> psutil.Process:
    [found] = [p for p in psutil.Process(daemon).children() if p.cmdline()[-1:] == [name]]
    return found


def is_error(event: object, code: str) -> bool:
    return isinstance(event, ErrorEvent) and event.code == code


def is_ready(event: object) -> bool:
    return isinstance(event, StateEvent) and event.state == "ready"


def test_a_stage_that_hangs_is_killed_and_its_utterance_is_heard(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    audio = make_conversation(tmp_path / "a.wav", 2, quiet=60)
    path = configure(audio, supervision={"hang_seconds": 4})
    with Subscriber("partial/", "transcript/", "error/", "state/") as subscriber:
        daemon = intentd.start_daemon(path)
        partial = wait_for(subscriber, lambda e: isinstance(e, PartialEvent))
        assert partial is not None
        worker(daemon.pid, "transcriber-0").send_signal(signal.SIGSTOP)
        died = wait_for(subscriber, lambda e: is_error(e, "stage-died"))
        assert isinstance(died, ErrorEvent)
        assert "showed no life" in died.detail
        heard = wait_for(subscriber, lambda e: isinstance(e, TranscriptEvent))
        assert heard is not None
        assert heard.id == partial.id
        assert wait_for(subscriber, lambda e: isinstance(e, TranscriptEvent)), "and the next one"


def test_one_that_dies_too_often_is_given_up_and_the_others_go_on(
    intentd: CommandLine, configure: Configure
) -> None:
    path = configure(supervision={"tries": 1, "first_delay": 0})
    with Subscriber("error/", "state/") as subscriber:
        daemon = intentd.start_daemon(path)
        assert wait_for(subscriber, is_ready)
        worker(daemon.pid, "transcriber-0").kill()
        assert wait_for(subscriber, is_ready)
        worker(daemon.pid, "transcriber-0").kill()
        given_up = wait_for(subscriber, lambda e: is_error(e, "stage-given-up"))
        assert isinstance(given_up, ErrorEvent)
        assert "transcriber-0: it was killed by SIGKILL" in given_up.detail
    shown = intentd("status", "--json")
    assert shown.returncode == 1
    status = json.loads(shown.stdout)
    assert status["state"] == "degraded"
    states = {name: stage["state"] for name, stage in status["stages"].items()}
    assert states.pop("transcriber-0") == "given-up"
    assert set(states.values()) == {"running"}
    assert "orderDrink" in intentd("say", "give me a latte").stdout
    assert intentd("stop").returncode == 0


def test_a_capture_that_dies_loses_only_the_gap_which_is_counted(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    audio = make_conversation(tmp_path / "a.wav", 6, quiet=60)
    with Subscriber("transcript/", "error/") as subscriber:
        daemon = intentd.start_daemon(configure(audio))
        first = wait_for(subscriber, lambda e: isinstance(e, TranscriptEvent))
        worker(daemon.pid, "source-room").kill()
        lost = wait_for(subscriber, lambda e: is_error(e, "audio-lost"))
        assert isinstance(lost, ErrorEvent)
        assert lost.source == "room"
        assert 0 < lost.count < 30 * 16_000
        later = wait_for(subscriber, lambda e: isinstance(e, TranscriptEvent))
    assert isinstance(first, TranscriptEvent)
    assert isinstance(later, TranscriptEvent)
    assert later.speech.start > first.speech.end, "it goes on where the recording would be now"
    assert "status" not in intentd("status").stderr
