"""A full disk and a damaged journal never stop the voice."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from command_line import CommandLine, wait_for

from pipeline.client import Subscriber
from pipeline.commands import Say, ask
from pipeline.events import ErrorEvent, IntentEvent

Configure = Callable[..., Path]


def test_a_disk_that_is_full_and_has_room_again(intentd: CommandLine, configure: Configure) -> None:
    """The limit of a process on the size of its files stands in for the disk."""
    daemon = intentd.start_daemon(configure())
    [publisher] = [
        p for p in psutil.Process(daemon.pid).children() if p.cmdline()[-1] == "publisher"
    ]
    with Subscriber("intent/", "error/") as subscriber:
        subscriber.wait_connected(5)
        publisher.rlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        told: list[str] = []
        for number in range(20):
            identity = ask(Say(text="give me a latte"), intentd.directory).id
            event = None
            while not (isinstance(event, IntentEvent) and event.id == identity):
                event = subscriber.receive(20)
                assert event is not None, f"nothing more came after {number} events"
                if isinstance(event, ErrorEvent):
                    told.append(event.code)
            if told:
                break
        assert told == ["journal-failed"]
        publisher.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        time.sleep(10.5)
        identity = ask(Say(text="give me a latte"), intentd.directory).id
        assert wait_for(subscriber, lambda e: e.id == identity)
    stored = [json.loads(line) for line in intentd("history", "--json").stdout.splitlines()]
    assert any(event["id"] == identity for event in stored), "it is stored again"


def test_a_journal_that_is_damaged_at_the_start_is_set_aside(
    intentd: CommandLine, configure: Configure
) -> None:
    journal = intentd.directory.parent / "state" / "intentd" / "journal.db"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 100)
    # It is told before anybody can have connected, and stands in the new journal.
    with Subscriber("error/", since=0) as subscriber:
        intentd.start_daemon(configure())
        event = subscriber.receive(20)
    assert isinstance(event, ErrorEvent)
    assert event.code == "journal-damaged"
    assert "set aside" in event.detail
    assert "orderDrink" in intentd("say", "give me a latte").stdout
    assert len([p for p in journal.parent.iterdir() if "damaged" in p.name]) == 1
