"""The control protocol, with a daemon that runs: status, mute, trigger, reload, stop, actions."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml
import zmq
from command_line import CommandLine, wait_for
from conversation import UTTERANCES, make_conversation

from pipeline.client import Subscriber
from pipeline.commands import json_schema
from pipeline.events import ErrorEvent, IntentEvent, StateEvent, TranscriptEvent

Configure = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]
RELOAD = b'{"command": "reload"}'
SCHEMA = json.loads((ROOT / "pipeline/schemas/control.schema.json").read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ask_plainly(intentd: CommandLine, body: bytes) -> dict[str, object]:
    """As an app in any language does it: a REQ socket and JSON."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context.socket(zmq.REQ) as request:
        request.setsockopt(zmq.LINGER, 0)
        request.connect(f"ipc://{intentd.directory / 'control'}")
        request.send(body)
        assert request.poll(50_000)
        reply: dict[str, object] = json.loads(request.recv())
    context.term()
    jsonschema.Draft202012Validator(SCHEMA).validate(reply)
    return reply


def state_of(event: object) -> str:
    return event.state if isinstance(event, StateEvent) else ""


def test_the_schema_is_that_of_the_code_and_knows_good_requests_from_bad() -> None:
    assert json.loads(json.dumps(json_schema())) == SCHEMA, "run: python -m pipeline.commands"
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate({"command": "mute", "seconds": 10, "source": "kitchen"})
    assert not validator.is_valid({"command": "mute", "seconds": -1})
    assert not validator.is_valid({"command": "fly"})


def test_status_metrics_and_requests(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    port = free_port()
    heard = tmp_path / "heard.json"
    script = tmp_path / "write"
    script.write_text(f"#!/bin/sh\ncat > {heard}.new && mv {heard}.new {heard}\n")
    script.chmod(0o755)
    path = configure(
        metrics={"port": port},
        on_intent=[
            {"run": [str(script)], "intents": ["orderDrink"]},
            {"run": ["sleep", "50"], "timeout": 0.3},
            {"run": ["false"]},
            {"run": ["no-such-program"]},
        ],
    )
    intentd.start_daemon(path)
    with Subscriber("error/") as subscriber:
        subscriber.wait_connected(5)
        assert intentd("say", "give me a latte").returncode == 0
        problems = [subscriber.receive(10) for _ in range(3)]
    # Programs ran for the intent: one wrote it, one took too long, two failed.
    details = sorted(e.detail for e in problems if isinstance(e, ErrorEvent))
    assert details == [
        "on_intent: false: ended with exit code 1",
        "on_intent: no-such-program: No such file or directory",
        "on_intent: sleep: was ended after 0.3 s",
    ]
    assert json.loads(heard.read_text())["intent"]["name"] == "orderDrink"

    status = json.loads(intentd("status", "--json").stdout)
    assert status["state"] == "ready"
    stages = status["stages"]
    names = ["source-room", "segmenter", "transcriber-0", "understander-0", "actions", "publisher"]
    assert list(stages) == names
    assert {stage["state"] for stage in stages.values()} == {"running"}
    assert max(stage["age"] for stage in stages.values()) < 5
    assert stages["transcriber-0"]["models"]["asr"].startswith("vosk-en")
    assert status["latency_ms"]["understand.p50"] > 0
    shown = intentd("status")
    assert shown.returncode == 0
    assert "understander-0" in shown.stdout

    assert get(port, "/readyz") == (200, "ready\n")
    assert get(port, "/healthz")[0] == 200
    assert get(port, "/else")[0] == 404
    code, metrics = get(port, "/metrics")
    assert code == 200
    assert 'intentd_stage_up{stage="publisher"} 1.0' in metrics
    assert 'intentd_stage_restarts_total{stage="segmenter"} 0.0' in metrics

    assert ask_plainly(intentd, b'{"command": "ping"}') == {"ok": True}
    for garbage in (b"", b"{", b'{"command": "fly"}', b'{"command": "mute", "seconds": "x"}'):
        assert ask_plainly(intentd, garbage)["ok"] is False
    unknown = intentd("mute", "--source", "cellar")
    assert unknown.returncode == 2
    assert unknown.stderr == ("intentd: error: mute: no source is called cellar; there is room\n")
    refused = intentd("trigger")
    assert "set activation: push-to-talk" in refused.stderr
    assert "is no time" in intentd("mute", "--for", "soon").stderr

    shown = intentd("history", "--last", "1h", "--intent", "orderDrink", "--json")
    [order] = [json.loads(line) for line in shown.stdout.splitlines()]
    assert order["simulated"] is True
    stopped = intentd("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert intentd.processes[0].wait(10) == 0
    assert intentd("status").returncode == 2


def test_what_is_said_while_it_is_muted_is_never_heard(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    audio = make_conversation(tmp_path / "a.wav", 3, quiet=20)
    with Subscriber("transcript/", "state/") as subscriber:
        intentd.start_daemon(configure(audio))
        first = wait_for(subscriber, lambda e: isinstance(e, TranscriptEvent))
        assert first is not None
        ask_plainly(intentd, b'{"command": "mute", "seconds": 3.5}')
        events = [subscriber.receive(20) for _ in range(3)]
    muted, listening, last = events
    assert [state_of(muted), state_of(listening)] == ["muted", "listening"]
    assert isinstance(last, TranscriptEvent)
    assert isinstance(first, TranscriptEvent)
    assert last.speech.start - first.speech.end > 4, "the second utterance fell into the silence"


def test_with_push_to_talk_only_what_is_said_after_a_trigger_is_heard(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    audio = make_conversation(tmp_path / "a.wav", 4, quiet=20)
    with Subscriber("transcript/", "state/") as subscriber:
        intentd.start_daemon(configure(audio, activation="push-to-talk"))
        assert wait_for(subscriber, lambda e: state_of(e) == "waiting", timeout=5)
        time.sleep(5)
        assert intentd("trigger", "--for", "6s").returncode == 0
        assert state_of(wait_for(subscriber, lambda _: True)) == "listening"
        heard = wait_for(subscriber, lambda e: isinstance(e, TranscriptEvent), timeout=10)
        assert isinstance(heard, TranscriptEvent)
        assert heard.speech.start > 4.5
        assert wait_for(subscriber, lambda e: state_of(e) == "waiting", timeout=10)


@pytest.mark.parametrize("placement", ["process", "thread"])
def test_a_changed_threshold_is_taken_over_without_losing_audio(
    intentd: CommandLine, configure: Configure, tmp_path: Path, placement: str
) -> None:
    audio = make_conversation(tmp_path / "a.wav", 3, quiet=60)
    path = configure(audio, placement=placement)
    with Subscriber("transcript/", "intent/", "not-recognized/") as subscriber:
        intentd.start_daemon(path)
        assert wait_for(subscriber, lambda e: isinstance(e, IntentEvent))
        good = path.read_text()
        path.write_text(good.replace("domain: coffee", "domain: tea"))
        broken = ask_plainly(intentd, RELOAD)
        assert "domain tea: no such file" in str(broken["error"])
        settings = yaml.safe_load(good)
        settings["understanders"][0]["model"] = "no-such-model"
        path.write_text(yaml.safe_dump(settings))
        broken = ask_plainly(intentd, RELOAD)
        assert "no-such-model" in str(broken["error"])
        settings["understanders"][0] = {"model": "mobilebert-coffee", "threshold": 1.0}
        settings["log"] = {"level": "debug"}
        path.write_text(yaml.safe_dump(settings))
        assert ask_plainly(intentd, RELOAD) == {"ok": True, "restarted": ["understander-0"]}
        ask_plainly(intentd, b'{"command": "say", "text": "give me a latte"}')
        rest = [subscriber.receive(20) for _ in range(6)]
    texts = [event.text for event in rest if isinstance(event, TranscriptEvent)]
    assert len(set(texts)) == 3, "two more of the recording, and the one that was put in"
    assert not any(isinstance(event, IntentEvent) and event.simulated is True for event in rest), (
        "with a threshold of 1 it is no intent"
    )


def test_a_text_that_was_put_in_while_its_stage_was_down_is_understood(
    intentd: CommandLine, configure: Configure
) -> None:
    import psutil

    daemon = intentd.start_daemon(configure())
    [victim] = [
        p for p in psutil.Process(daemon.pid).children() if p.cmdline()[-1] == "understander-0"
    ]
    with Subscriber("intent/") as subscriber:
        subscriber.wait_connected(5)
        victim.suspend()
        reply = ask_plainly(intentd, b'{"command": "say", "text": "give me a latte"}')
        victim.kill()
        event = subscriber.receive(30)
        assert event is not None
        assert event.id == reply["id"]
        assert subscriber.receive(1) is None


def test_recordings_for_the_fault_tests_are_there() -> None:
    assert len(UTTERANCES) == 16
