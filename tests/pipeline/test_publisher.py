"""The publisher, on real sockets: late, slow, vanishing and hostile subscribers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import zmq

from pipeline.client import Subscriber
from pipeline.event_maker import EventMaker
from pipeline.event_socket import EventSocket
from pipeline.events import IntentEvent, StateEvent, from_json, json_schema, to_json, topic
from stages.messages import (
    ErrorReport,
    Intent,
    Partial,
    Progress,
    Slot,
    Span,
    StageMessage,
    StateReport,
    Transcript,
    Word,
)

ROOT = Path(__file__).resolve().parents[2]

HEARD = Transcript(
    source="kitchen",
    stream="kitchen-1",
    id="01KXX4Y3J1V7M0Q2W9E5R8T6Y4",
    text="set a timer for ten minutes",
    words=(Word(word="set", start=0.42, end=0.61, confidence=1.0),),
    speech=Span(start=12.4, end=14.05),
    position=224_800,
    intent=Intent(name="HassStartTimer", confidence=0.98),
    accepted=True,
    slots=(
        Slot(name="minutes", raw="ten", value=10, type="number", start=16, end=19, confidence=0.97),
    ),
    alternatives=(Intent(name="HassIncreaseTimer", confidence=0.01),),
    timings={"endpoint": 480.0, "transcribe": 21.0, "understand": 4.0},
    models={"asr": "vosk-en-starter@2", "nlu": "mobilebert-home-en@1"},
)
REPORT = {"source": "kitchen", "stream": "kitchen-1"}
EXAMPLE_KEYS = {
    "schema", "type", "seq", "id", "source", "text", "intent", "slots", "alternatives", "words",
    "speech", "timings_ms", "models", "published",
}  # fmt: skip


def published(message: StageMessage, *, understands: bool = True) -> list[dict[str, object]]:
    events = EventMaker(understands=understands).events(message)
    for event in events:
        assert from_json(to_json(event)) == event
    return [json.loads(to_json(event)) for event in events]


def test_an_intent_event_has_exactly_the_documented_keys() -> None:
    transcript, intent = published(HEARD)
    assert set(intent) == EXAMPLE_KEYS
    assert intent["type"] == "intent"
    assert intent["slots"] == [
        {
            "name": "minutes",
            "raw": "ten",
            "value": 10,
            "type": "number",
            "start": 16,
            "end": 19,
            "confidence": 0.97,
        }
    ]
    assert set(intent["timings_ms"]) == {"endpoint", "transcribe", "understand", "publish"}
    assert (transcript["type"], transcript["seq"], intent["seq"]) == ("transcript", 1, 2)


def test_below_the_threshold_the_event_is_not_recognized_with_the_best_guess() -> None:
    import msgspec

    _, event = published(msgspec.structs.replace(HEARD, accepted=False))
    assert event["type"] == "not-recognized"
    assert event["intent"] == {"name": "HassStartTimer", "confidence": 0.98}


def test_file_simulated_and_transcripts_appear_only_where_they_say_something() -> None:
    import msgspec

    full = msgspec.structs.replace(HEARD, file="a.wav", simulated=True, transcripts=("a", "b"))
    _, event = published(full)
    assert set(event) == EXAMPLE_KEYS | {"file", "simulated", "transcripts"}


def test_without_understanders_only_transcripts_are_published() -> None:
    assert [event["type"] for event in published(HEARD, understands=False)] == ["transcript"]


def test_bookkeeping_is_not_published() -> None:
    assert published(Progress(**REPORT, position=1)) == []


@pytest.mark.parametrize(
    "message",
    [
        HEARD,
        Partial(**REPORT, id="01KXX4Y3J1V7M0Q2W9E5R8T6Y4", text="set a"),
        StateReport(**REPORT, state="device-lost", detail="unplugged"),
        ErrorReport(**REPORT, file="x.wav", code="bad-recording", detail="x.wav: empty"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_every_event_validates_against_the_published_schema(message: StageMessage) -> None:
    schema = json.loads((ROOT / "pipeline/schemas/event.schema.json").read_text())
    assert schema == json.loads(json.dumps(json_schema())), "run: python -m pipeline.events"
    for event in published(message):
        jsonschema.Draft202012Validator(schema).validate(event)


# ---------------------------------------------------------------- on sockets


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def endpoint(runtime_dir: Path) -> str:
    return f"ipc://{runtime_dir}/events"


def make_state(maker: EventMaker, state: str) -> StateEvent:
    [event] = maker.events(StateReport(source="", stream="", state=state))
    assert isinstance(event, StateEvent)
    return event


def serve(socket: EventSocket, seconds: float = 0.3) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        socket.socket.poll(20)
        socket.take_subscriptions()
        socket.take_connections()


def test_a_late_subscriber_learns_the_last_state_and_an_early_one_is_not_told_twice(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str
) -> None:
    events = EventSocket(context, [endpoint], hwm=10)
    maker = EventMaker(understands=True)
    with Subscriber("state/", endpoint=endpoint) as early:
        serve(events)
        events.send(make_state(maker, "starting"))
        events.send(make_state(maker, "ready"))
        with Subscriber("state/", endpoint=endpoint) as late:
            serve(events)
            event = late.receive(5)
            assert isinstance(event, StateEvent)
            assert event.state == "ready"
        seen = [early.receive(1) for _ in range(3)]
        assert [e.seq if e else None for e in seen] == [1, 2, None]
        assert early.lost == 0
    events.close()


def test_a_slow_subscriber_loses_events_that_are_counted_while_a_fast_one_loses_none(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str
) -> None:
    events = EventSocket(context, [endpoint], hwm=20)
    maker = EventMaker(understands=True)
    slow = context.socket(zmq.SUB)
    slow.setsockopt(zmq.RCVHWM, 5)
    slow.setsockopt(zmq.LINGER, 0)
    slow.setsockopt(zmq.SUBSCRIBE, b"")
    slow.connect(endpoint)
    with Subscriber("transcript/", endpoint=endpoint) as fast:
        serve(events)
        total = 3000
        for _ in range(total):
            [event] = EventMaker.events(maker, Partial(**REPORT, id="x", text="y" * 2000))
            events.send(event)
            [event] = [e for e in maker.events(HEARD) if e.__class__.__name__ == "TranscriptEvent"]
            events.send(event)
            received = fast.receive(5)
            assert received is not None
        assert fast.lost == 0
        assert events.lost > 0
    slow.close()
    events.close()


def test_the_slow_one_itself_sees_how_many_it_lost(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str
) -> None:
    events = EventSocket(context, [endpoint], hwm=5)
    maker = EventMaker(understands=True)
    with Subscriber("partial/", endpoint=endpoint) as slow:
        slow._socket.setsockopt(zmq.RCVHWM, 5)
        slow._socket.disconnect(endpoint)
        slow._socket.connect(endpoint)
        serve(events)
        for _ in range(4000):
            [event] = maker.events(Partial(**REPORT, id="x", text="y" * 5000))
            events.send(event)
        received = 0
        while slow.receive(0.3) is not None:
            received += 1
        [event] = maker.events(Partial(**REPORT, id="x", text="last"))
        events.send(event)
        assert slow.receive(5) is not None
        assert slow.lost == 4000 - received > 0
    events.close()


def test_vanishing_subscribers_are_forgotten(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str
) -> None:
    events = EventSocket(context, [endpoint], hwm=5)
    for _ in range(20):
        with Subscriber(endpoint=endpoint):
            serve(events, 0.05)
    serve(events)
    assert events.peers == 0
    assert events.send(make_state(EventMaker(understands=True), "ready"))
    events.close()


def test_data_from_a_subscriber_is_counted_and_dropped(
    context: zmq.Context[zmq.Socket[bytes]], endpoint: str
) -> None:
    events = EventSocket(context, [endpoint], hwm=5)
    hostile = context.socket(zmq.XSUB)
    hostile.setsockopt(zmq.LINGER, 0)
    hostile.connect(endpoint)
    hostile.send(b"\1")
    for garbage in (b"", b"\xff" * 100, b"hello"):
        hostile.send(garbage)
    hostile.send_multipart([b"\2", b"many", b"frames"])
    serve(events)
    assert events.garbage.count >= 3
    assert events.send(make_state(EventMaker(understands=True), "ready"))
    hostile.close()
    events.close()


def test_topics_end_in_a_slash_so_that_no_intent_is_the_prefix_of_another() -> None:
    event = EventMaker(understands=True).events(HEARD)[1]
    assert isinstance(event, IntentEvent)
    assert topic(event) == b"intent/HassStartTimer/"


async def collect(subscriber: Subscriber, count: int) -> list[object]:
    found: list[object] = []
    async for event in subscriber:
        found.append(event)
        if len(found) == count:
            break
    return found


def test_events_can_be_awaited(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> None:
    import asyncio

    events = EventSocket(context, [endpoint], hwm=5)
    maker = EventMaker(understands=True)
    with Subscriber("state/", endpoint=endpoint, timeout=5) as subscriber:
        serve(events)
        events.send(make_state(maker, "one"))
        events.send(make_state(maker, "two"))
        found = asyncio.run(collect(subscriber, 2))
    assert [e.state for e in found if isinstance(e, StateEvent)] == ["one", "two"]
    events.close()
