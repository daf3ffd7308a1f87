"""Publishes events on an XPUB socket, numbers them, and tells sources how far they are.

Each event is three frames: the topic, the JSON, and the count of events of this topic so far,
by which a subscriber sees a gap even if it subscribed to a few topics only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import zmq
from ulid import ULID
from zmq.utils.monitor import recv_monitor_message

from models.errors import TransportError
from pipeline.addresses import Addresses
from pipeline.events import (
    ErrorEvent,
    Event,
    IntentEvent,
    NotRecognizedEvent,
    PartialEvent,
    StateEvent,
    TranscriptEvent,
    timestamp,
    to_json,
    topic,
)
from pipeline.runner import Control, Leaving
from pipeline.transport import Context, GarbageCounter, Socket, bind, close_all, make_socket
from pipeline.wire import Ack, Ready, Subscribers, WireError, decode, encode
from stages.messages import (
    EndOfStream,
    ErrorReport,
    Partial,
    Progress,
    StageMessage,
    StateReport,
    Transcript,
)

FAREWELL_MS: Final = 1500
"""How long the last events may take to reach the subscribers when the daemon ends."""


class EventMaker:
    """Turns stage messages into numbered public events."""

    def __init__(self, *, understands: bool, wall: Callable[[], float] = time.time) -> None:
        self._understands = understands
        self._wall = wall
        self._seq = 0

    def events(self, message: StageMessage) -> list[Event]:
        """The events that follow from one message; none for bookkeeping."""
        match message:
            case Transcript():
                made: list[Event] = [self._transcript(message)]
                if self._understands:
                    made.append(self._understood(message))
                return made
            case Partial():
                return [self._partial(message)]
            case StateReport():
                return [self._state(message)]
            case ErrorReport():
                return [self._error(message)]
            case _:
                return []

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _heard(self, message: Transcript) -> dict[str, object]:
        """What all events of an utterance share."""
        timings = {name: round(value, 3) for name, value in message.timings.items()}
        total = (time.monotonic() - message.decided) * 1000
        spent = sum(value for name, value in timings.items() if name != "endpoint")
        timings["publish"] = round(max(0.0, total - spent), 3)
        fields: dict[str, object] = {
            "seq": self._next(),
            "id": message.id,
            "source": message.source,
            "text": message.text,
            "words": message.words,
            "speech": message.speech,
            "timings_ms": timings,
            "models": message.models,
            "published": timestamp(self._wall()),
        }
        if message.transcripts is not None:
            fields["transcripts"] = message.transcripts
        if message.file is not None:
            fields["file"] = message.file
        if message.simulated:
            fields["simulated"] = True
        return fields

    def _transcript(self, message: Transcript) -> Event:
        return TranscriptEvent(**self._heard(message))  # type: ignore[arg-type]

    def _understood(self, message: Transcript) -> Event:
        kind = IntentEvent if message.accepted else NotRecognizedEvent
        return kind(
            intent=message.intent,  # type: ignore[arg-type]
            slots=message.slots,
            alternatives=message.alternatives,
            **self._heard(message),  # type: ignore[arg-type]
        )

    def _partial(self, message: Partial) -> Event:
        event = PartialEvent(
            seq=self._next(),
            id=message.id,
            source=message.source,
            text=message.text,
            published=timestamp(self._wall()),
        )
        return _with_file(event, message.file)

    def _state(self, message: StateReport) -> Event:
        return StateEvent(
            seq=self._next(),
            id=str(ULID()),
            source=message.source,
            state=message.state,
            detail=message.detail,
            published=timestamp(self._wall()),
        )

    def _error(self, message: ErrorReport) -> Event:
        event = ErrorEvent(
            seq=self._next(),
            id=str(ULID()),
            source=message.source,
            code=message.code,
            detail=message.detail,
            count=message.count,
            published=timestamp(self._wall()),
        )
        return _with_file(event, message.file)


def _with_file(event: Event, file: str | None) -> Event:
    import msgspec

    return event if file is None else msgspec.structs.replace(event, file=file)


class EventSocket:
    """The XPUB socket: counts subscribers, remembers the last state, notices slow subscribers."""

    def __init__(self, context: Context, endpoints: list[str], *, hwm: int, block: bool) -> None:
        self._log = logging.getLogger("intentd.publisher")
        self.socket = make_socket(context, zmq.XPUB, hwm=hwm, linger=FAREWELL_MS)
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)
        self.monitor: Socket = self.socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
        )
        self._block = block
        self._counts: dict[bytes, int] = {}
        self._last_state: list[bytes] | None = None
        self.garbage = GarbageCounter(self._log.warning)
        self.peers = 0
        self.subscriptions = 0
        self.lost = 0
        self._endpoints: list[str] = []
        try:
            for endpoint in endpoints:
                bind(self.socket, endpoint)
                self._endpoints.append(endpoint)
        except TransportError:
            self.close()
            raise

    def send(self, event: Event) -> bool:
        """Publish; returns False when a slow subscriber lost it."""
        name = topic(event)
        self._counts[name] = self._counts.get(name, 0) + 1
        frames = [name, to_json(event), str(self._counts[name]).encode()]
        if isinstance(event, StateEvent):
            self._last_state = frames
        if self._block:
            self.socket.send_multipart(frames)
            return True
        return self._try_send(frames) or self._send_lossy(frames)

    def _try_send(self, frames: list[bytes]) -> bool:
        """Send to all or, when one subscriber is full, to nobody."""
        for _ in range(2):
            try:
                self.socket.send_multipart(frames, zmq.NOBLOCK)
            except zmq.Again:
                # libzmq looks only about once a millisecond at what its subscribers have taken;
                # asking for the events makes it look now, so that nobody is full by mistake.
                self.socket.getsockopt(zmq.EVENTS)
            else:
                return True
        return False

    def _send_lossy(self, frames: list[bytes]) -> bool:
        """Send to all but those that are full."""
        self.socket.setsockopt(zmq.XPUB_NODROP, 0)
        self.socket.send_multipart(frames, zmq.NOBLOCK)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)
        self.lost += 1
        return False

    def take_subscriptions(self) -> None:
        """Read what subscribers sent; a new one gets the last state."""
        while True:
            try:
                frame = b"".join(self.socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                return
            if frame[:1] not in (b"\0", b"\1"):
                self.garbage.note(WireError("a subscriber sent data"))
            elif frame[:1] == b"\1":
                self.subscriptions += 1
                if self._last_state and self._last_state[0].startswith(frame[1:]):
                    self._resend_state()

    def _resend_state(self) -> None:
        assert self._last_state is not None
        try:
            self.socket.send_multipart(self._last_state, zmq.NOBLOCK)
        except zmq.Again:
            self._log.debug("a full subscriber delays the state for a new one")

    def take_connections(self) -> None:
        """Keep count of the subscribers that are connected."""
        while self.monitor.poll(0):
            event = recv_monitor_message(self.monitor)["event"]
            self.peers += 1 if event == zmq.EVENT_HANDSHAKE_SUCCEEDED else -1

    def close(self) -> None:
        """Close after the last events are out, or the farewell time is over."""
        self.socket.disable_monitor()
        close_all([self.monitor, self.socket])
        for endpoint in self._endpoints:
            if endpoint.startswith("ipc://"):
                Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)


class PublisherRunner:
    """The last stage of the chain: events out, acknowledgements back.

    ``sources`` maps the name of each source to the worker that runs it.
    """

    def __init__(
        self,
        context: Context,
        addresses: Addresses,
        *,
        endpoints: tuple[str, ...],
        sources: Mapping[str, str],
        understands: bool,
        hwm: int,
        block: bool,
        parent: int | None = None,
    ) -> None:
        self._context = context
        self._addresses = addresses
        self._endpoints = [addresses.events, *endpoints]
        self._options = {"hwm": hwm, "block": block}
        self._maker = EventMaker(understands=understands)
        self._log = logging.getLogger("intentd.publisher")
        self._garbage = GarbageCounter(self._log.warning)
        self._told = (0, 0)
        self._told_lost = False
        self.control = Control(context, addresses, "publisher", parent)
        self._acks: dict[str, Socket] = {}
        for source, worker in sources.items():
            socket = make_socket(context, zmq.PUSH, hwm=10_000)
            socket.connect(addresses.inner(f"{worker}.acks"))
            self._acks[source] = socket

    def run(self) -> None:
        """Work until told to quit."""
        inlet = make_socket(self._context, zmq.PULL, hwm=1000)
        events: EventSocket | None = None
        try:
            events = EventSocket(
                self._context,
                self._endpoints,
                hwm=int(self._options["hwm"]),
                block=bool(self._options["block"]),
            )
            bind(inlet, self._addresses.inner("publisher"))
            self.control.send(Ready())
            self._loop(inlet, events)
        except Leaving:
            assert events is not None
            self._take_all(inlet, events)
        except TransportError as error:
            self.control.fail(error)
        finally:
            if events is not None:
                events.close()
            inlet.close()
            close_all(self._acks.values())
            self.control.socket.close()

    def _loop(self, inlet: Socket, events: EventSocket) -> None:
        poller = zmq.Poller()
        self.control.register(poller)
        for socket in (inlet, events.socket, events.monitor):
            poller.register(socket, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if inlet in ready:
                self._take_all(inlet, events)
            if events.socket in ready:
                events.take_subscriptions()
            if events.monitor in ready:
                events.take_connections()
            self._tell_subscribers(events)
            self.control.check(ready)

    def _tell_subscribers(self, events: EventSocket) -> None:
        now = (events.peers, events.subscriptions)
        if now != self._told:
            self._told = now
            self.control.send(Subscribers(count=min(now)))

    def _take_all(self, inlet: Socket, events: EventSocket) -> None:
        while True:
            try:
                frames = inlet.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                if len(frames) != 1:
                    raise WireError(f"{len(frames)} frames instead of one")
                message = decode(frames[0])
            except WireError as error:
                self._garbage.note(error)
                if self._garbage.count == 1:
                    self._publish(self._report("garbage", str(error)), events)
                continue
            self._publish(message, events)
            self._acknowledge(message)

    def _publish(self, message: StageMessage, events: EventSocket) -> None:
        for event in self._maker.events(message):
            if not events.send(event) and not self._told_lost:
                self._told_lost = True
                text = "a subscriber is too slow and loses events (gaps show in the counts)"
                self._log.warning(text)
                self._publish(self._report("subscriber-slow", text), events)

    @staticmethod
    def _report(code: str, detail: str) -> ErrorReport:
        return ErrorReport(source="", stream="", code=code, detail=f"publisher: {detail}")

    def _acknowledge(self, message: StageMessage) -> None:
        if not isinstance(message, Transcript | Progress | EndOfStream):
            return
        socket = self._acks.get(message.source)
        if socket is None:
            return
        ack = Ack(
            stream=message.stream,
            position=message.position,
            final=isinstance(message, EndOfStream),
        )
        try:
            socket.send(encode(ack), zmq.NOBLOCK)
        except zmq.Again:
            self._log.debug("source %s does not take acknowledgements", message.source)
