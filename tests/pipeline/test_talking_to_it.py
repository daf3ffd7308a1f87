"""Talking to a running daemon: say, listen, and the programs of the README."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine, wait_for

from pipeline.client import Subscriber
from pipeline.events import (
    IntentEvent,
    StateEvent,
    from_json,
)

Configure = Callable[..., Path]
PLACEMENTS = ["process", "thread"]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_text_that_is_said_comes_back_as_an_intent_to_every_subscriber(
    intentd: CommandLine, configure: Configure, placement: str
) -> None:
    intentd.start_daemon(configure(placement=placement))
    with Subscriber("intent/") as subscriber:
        subscriber.wait_connected(5)
        said = intentd("say", "--json", "Can I have a  small latte with milk")
        event = wait_for(subscriber, lambda e: isinstance(e, IntentEvent))
    assert said.returncode == 0, said.stderr
    assert isinstance(event, IntentEvent)
    assert from_json(said.stdout) == event
    assert event.simulated is True
    assert event.text == "can i have a small latte with milk"
    assert {slot.name: slot.value for slot in event.slots} == {
        "size": "small",
        "coffeeDrink": "latte",
        "milkAmount": "milk",
    }


def test_listen_shows_events_as_json_and_runs_a_program_for_each(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    intentd.start_daemon(configure())
    target = tmp_path / "events of mine.txt"
    program = f"{sys.executable} -c 'import sys; open(sys.argv[1], \"a\").write(sys.stdin.read())'"
    listener = intentd.start("listen", "--topic", "intent/", "--json")
    runner = intentd.start("listen", "--topic", "intent/", "--exec", f"{program} '{target}'")
    with Subscriber("intent/") as subscriber:
        subscriber.wait_connected(5)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not target.exists():
            intentd("say", "give me a latte")
    assert listener.stdout is not None
    event = from_json(listener.stdout.readline())
    assert isinstance(event, IntentEvent)
    assert event.intent.name == "orderDrink"
    runner.terminate()
    first = target.read_text().splitlines()[0]
    assert json.loads(first)["intent"]["name"] == "orderDrink"


def first_line(process: subprocess.Popen[str], again: Callable[[], object]) -> str:
    """The first line that ``process`` prints; ``again`` is called until it does."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    read = process.stdout.readline
    threading.Thread(target=lambda: lines.put(read()), daemon=True).start()
    for _ in range(20):
        again()
        with contextlib.suppress(queue.Empty):
            return lines.get(timeout=0.5)
    return ""


def test_listen_prints_one_line_for_people(intentd: CommandLine, configure: Configure) -> None:
    intentd.start_daemon(configure())
    listener = intentd.start("listen", "--topic", "intent/")
    line = first_line(listener, lambda: intentd("say", "give me a latte with soy milk"))
    assert line.startswith(
        'say  "give me a latte with soy milk" → orderDrink(coffeeDrink=latte, milkAmount=soy milk)'
    )


def test_say_without_a_daemon_names_the_mend(intentd: CommandLine) -> None:
    done = intentd("say", "hello")
    assert done.returncode == 2
    assert "no intentd runs in" in done.stderr
    assert "intentd run" in done.stderr


def test_say_nothing_is_refused(intentd: CommandLine, configure: Configure) -> None:
    intentd.start_daemon(configure())
    done = intentd("say", " ")
    assert (done.returncode, done.stderr) == (
        2,
        "intentd: error: say: there is nothing to say\n",
    )


def test_a_late_listener_learns_that_it_is_ready(
    intentd: CommandLine, configure: Configure
) -> None:
    intentd.start_daemon(configure())
    with Subscriber("state/") as subscriber:
        event = subscriber.receive(5)
    assert isinstance(event, StateEvent)
    assert event.state == "ready"


def test_the_ten_lines_of_plain_pyzmq_in_the_readme_work(
    intentd: CommandLine, configure: Configure
) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    _, _, rest = readme.partition("<!-- plain pyzmq -->\n```python\n")
    program, _, _ = rest.partition("```")
    assert "zmq.SUB" in program
    intentd.start_daemon(configure())
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env=intentd.environment,
    )
    line = first_line(process, lambda: intentd("say", "give me a latte"))
    process.kill()
    process.communicate()
    assert "orderDrink" in line
