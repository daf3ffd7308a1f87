"""Subscribers that come and go, and some that never read: no growth, no stall, counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import zmq
from command_line import CommandLine
from extent import times

from pipeline.client import Subscriber
from pipeline.events import ErrorEvent, Event, StateEvent
from pipeline.wire import encode
from stages.messages import StateReport

CONNECTS = times(100, 1000)
DEAF = 10
FLOOD = times(2000, 20_000)


def flood(intentd: CommandLine, context: zmq.Context[zmq.Socket[bytes]], count: int) -> None:
    """Reports straight into the publisher, as a stage would send them."""
    socket = context.socket(zmq.PUSH)
    socket.setsockopt(zmq.LINGER, 10_000)
    socket.connect(f"ipc://{intentd.directory / 'publisher'}")
    for number in range(count):
        report = StateReport(source="flood", stream="", state="x", detail=f"{number} " + "." * 500)
        socket.send(encode(report))
    socket.close()


@pytest.mark.timeout(60 + CONNECTS // 5 + FLOOD // 100)
def test_subscribers_that_come_and_go_and_ten_that_never_read(
    intentd: CommandLine, configure: Callable[..., Path]
) -> None:
    daemon = intentd.start_daemon(configure(publisher={"hwm": 100}, log={"level": "error"}))
    [publisher] = [
        p for p in psutil.Process(daemon.pid).children() if p.cmdline()[-1] == "publisher"
    ]
    endpoint = f"ipc://{intentd.directory / 'events'}"
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    before = (publisher.num_fds(), publisher.memory_info().rss)
    for _ in range(CONNECTS):
        with context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.subscribe("")
            socket.connect(endpoint)
            assert socket.poll(5000), "the last state, which shows that it is connected"
    deadline = time.monotonic() + 10
    while publisher.num_fds() > before[0] + 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    after = (publisher.num_fds(), publisher.memory_info().rss)
    assert after[0] <= before[0] + 2
    growth = after[1] - before[1]
    assert growth < 10e6

    deaf = []
    for _ in range(DEAF):
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, 10)
        socket.subscribe("")
        socket.connect(endpoint)
        deaf.append(socket)
    found: list[Event] = []
    with Subscriber("state/", "error/") as subscriber:
        subscriber.wait_connected(5)
        begun = time.monotonic()
        flood(intentd, context, FLOOD)
        while len(found) < FLOOD and (event := subscriber.receive(5)) is not None:
            found.append(event)
        seconds = time.monotonic() - begun
        # That the very last ones are missing only shows when another one comes.
        flood(intentd, context, 1)
        while (event := subscriber.receive(5)) is not None:
            found.append(event)
        lost = subscriber.lost
    heard = [e for e in found if isinstance(e, StateEvent) and e.source == "flood"]
    slow = [e for e in found if isinstance(e, ErrorEvent) and e.code == "subscriber-slow"]
    print(
        f"\n{CONNECTS} connects and disconnects: {after[0] - before[0]:+d} descriptors, "
        f"{growth / 1e6:+.1f} MB; {DEAF} that never read {FLOOD} events: another subscriber got "
        f"{len(heard)}, {FLOOD / seconds:.0f} a second; {sum(e.count for e in slow)} losses told"
    )
    assert [int(e.detail.split()[0]) for e in heard] == [*range(FLOOD), 0]
    assert lost == 0
    assert slow
    for socket in deaf:
        socket.close()
    context.term()
