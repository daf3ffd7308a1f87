"""Dialogues through the command line: in text without a daemon, and with the daemon."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
from command_line import CommandLine, wait_for

from pipeline.client import Subscriber
from pipeline.events import CancelledEvent, IntentEvent, QuestionEvent, ReplyEvent

ROOT = Path(__file__).resolve().parents[2]
Configure = Callable[..., Path]

TIMERS = """
language: en
intents:
  HassStartTimer:
    required: {minutes: "For how many minutes?"}
    confirm: "Start a timer of {{ minutes }} minutes?"
    replies: "Timer set for {{ minutes }} minutes"
    data:
      - sentences: ["set a timer [for {minutes} minutes]"]
  HassGetCurrentTime:
    data:
      - sentences: ["what time is it"]
lists:
  minutes: {range: {from: 1, to: 60}}
"""


def timers(folder: Path) -> Path:
    path = folder / "timers.yaml"
    path.write_text(TIMERS, encoding="utf-8")
    return path


def test_given_a_domain_file_then_chat_asks_confirms_and_answers(
    intentd: CommandLine, tmp_path: Path
) -> None:
    typed = b"Set a timer!\nten\nyes\nwhat time is it?\nset a timer\nnever mind\nfly away\n"
    done = intentd("chat", "-c", str(timers(tmp_path)), stdin=typed)
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "? For how many minutes?",
        "? Start a timer of 10 minutes?",
        '  "set a timer ten" → HassStartTimer(minutes=10)  1.00',
        "< Timer set for 10 minutes",
        '  "what time is it" → HassGetCurrentTime()  1.00',
        "? For how many minutes?",
        "  HassStartTimer is off: cancelled",
        '  "fly away" → not recognized',
    ]


def test_given_a_configuration_then_chat_uses_its_model_and_events_have_the_schema(
    intentd: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"domain: {timers(tmp_path)}\nunderstanders: [{{model: mobilebert-home}}]\n")
    typed = b"set a timer\ntwenty\nyes please\nset a timer\ncancel\n"
    done = intentd("chat", "--json", "-c", str(path), stdin=typed)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    schema = json.loads((ROOT / "pipeline/schemas/event.schema.json").read_text())
    for event in events:
        jsonschema.Draft202012Validator(schema).validate(event)
    kinds = [event["type"] for event in events if event["type"] != "transcript"]
    assert kinds == ["question", "question", "intent", "reply", "question", "cancelled"]
    asked, confirm, intent = [e for e in events if e["type"] in ("question", "intent")][:3]
    assert asked["question"] == {
        "text": "For how many minutes?",
        "kind": "slot",
        "slot": "minutes",
    }
    assert confirm["question"]["kind"] == "confirm"
    assert intent["dialogue"] == confirm["dialogue"] == asked["dialogue"] == asked["id"]
    assert {slot["name"]: slot["value"] for slot in intent["slots"]} == {"minutes": 20}


def test_given_the_daemon_then_a_question_is_published_and_the_next_utterance_answers_it(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    configuration = configure(
        placement="thread",
        domain=str(timers(tmp_path)),
        understanders=[{"model": "mobilebert-home"}],
        dialogue={"timeout": 30},
    )
    intentd.start_daemon(configuration)
    with Subscriber("question/", "intent/", "reply/", "cancelled/") as subscriber:
        subscriber.wait_connected(5.0)
        assert "For how many minutes?" in intentd("say", "set a timer").stdout
        assert "Start a timer of 15 minutes?" in intentd("say", "fifteen").stdout
        assert "HassStartTimer(minutes=15)" in intentd("say", "yes").stdout
        assert "For how many minutes?" in intentd("say", "set a timer").stdout
        assert intentd("say", "forget it").returncode == 0
        seen = [wait_for(subscriber, lambda _: True, 5) for _ in range(6)]
    assert [type(event) for event in seen] == [
        QuestionEvent,
        QuestionEvent,
        IntentEvent,
        ReplyEvent,
        QuestionEvent,
        CancelledEvent,
    ]
    reply = seen[3]
    assert isinstance(reply, ReplyEvent)
    assert reply.text == "Timer set for 15 minutes"


def test_given_no_dialogue_wanted_then_incomplete_intents_are_published(
    intentd: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        f"domain: {timers(tmp_path)}\nunderstanders: [{{model: mobilebert-home}}]\n"
        "dialogue: {enabled: false}\n"
    )
    done = intentd("chat", "-c", str(path), stdin=b"set a timer\n")
    assert "HassStartTimer()" in done.stdout


def test_given_a_program_that_is_not_there_then_check_names_it(
    intentd: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"domain: {timers(tmp_path)}\ndialogue: {{speak: [whisper9, -q]}}\n")
    done = intentd("check", "--no-microphone", "-c", str(path))
    assert done.returncode == 2
    assert "fails  domain: dialogue.speak: there is no program whisper9; install" in done.stdout
