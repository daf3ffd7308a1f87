"""The daemon restarts under a subscriber that stays, and one that comes and goes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from command_line import CommandLine
from extent import times

from models.errors import TransportError
from pipeline.client import Subscriber
from pipeline.commands import Say, ask
from pipeline.events import Event, TranscriptEvent

RESTARTS = times(3, 50)


def say(intentd: CommandLine, text: str) -> str:
    """Put a text in as soon as there is a daemon that takes it; its id."""
    deadline = time.monotonic() + 60
    while True:
        try:
            identity = ask(Say(text=text), intentd.directory).id
        except TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            assert isinstance(identity, str)
            return identity


def drain(subscriber: Subscriber, events: list[Event], wanted: str) -> None:
    """Until the event of this id is there."""
    deadline = time.monotonic() + 30
    while not any(event.id == wanted for event in events[-10:]):
        event = subscriber.receive(1)
        assert time.monotonic() < deadline, "an event is missing"
        if event is not None:
            events.append(event)


@pytest.mark.timeout(60 + 40 * RESTARTS)
def test_every_event_comes_once_and_in_order_across_restarts(
    intentd: CommandLine, configure: Callable[..., Path]
) -> None:
    """By turns stopped in order and killed; one subscriber goes on, one is restarted too."""
    path = configure()
    said: list[str] = []
    live: list[Event] = []
    resumed: list[Event] = []
    with Subscriber("transcript/", since=0) as subscriber:
        for number in range(RESTARTS + 1):
            daemon = intentd.start("run", "-c", str(path))
            said += [say(intentd, "give me a latte") for _ in range(2)]
            drain(subscriber, live, said[-1])
            if number % 3 == 0:  # the second subscriber is away most of the time
                last = resumed[-1].seq if resumed else 0
                with Subscriber("transcript/", since=last) as again:
                    drain(again, resumed, said[-1])
            workers = psutil.Process(daemon.pid).children()
            daemon.send_signal(signal.SIGTERM if number % 2 else signal.SIGKILL)
            daemon.communicate(timeout=30)
            if number % 2:
                assert not psutil.wait_procs(workers, timeout=10)[1]
        last = resumed[-1].seq
        intentd.start("run", "-c", str(path))
        with Subscriber("transcript/", since=last) as again:
            said.append(say(intentd, "give me a latte"))
            drain(again, resumed, said[-1])
            drain(subscriber, live, said[-1])
    for events in (live, resumed):
        ids = [event.id for event in events if isinstance(event, TranscriptEvent)]
        assert ids == said
        assert [e.seq for e in events] == sorted({e.seq for e in events})
    print(
        f"\n{RESTARTS + 1} restarts with a live subscriber: {len(said)} events, "
        f"{len(set(said) - {e.id for e in live})} lost, {len(live) - len(said)} twice, in order; "
        f"a subscriber that came and went got the same"
    )
