"""The last stage of the chain: events out to apps, acknowledgements back to sources."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

import zmq

from models.errors import IntentdError
from pipeline.addresses import Addresses
from pipeline.configuration import SecuritySection
from pipeline.event_maker import EventMaker
from pipeline.event_socket import EventSocket
from pipeline.runner import Control, Leaving, decode_frames, garbage_report
from pipeline.security.refusals import Refusals
from pipeline.transport import (
    Context,
    GarbageCounter,
    OncePer,
    Socket,
    bind,
    close_all,
    make_socket,
)
from pipeline.wire import Ack, Ready, Subscribers, WireError, encode
from stages.messages import (
    EndOfStream,
    ErrorReport,
    Progress,
    StageMessage,
    StateReport,
    Transcript,
)

ROOM_MS: Final = 10
"""How long to wait before a full subscriber is tried again."""


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
        security: SecuritySection | None = None,
        parent: int | None = None,
    ) -> None:
        self._context = context
        self._addresses = addresses
        self._endpoints = [addresses.events, *endpoints]
        self._hwm = hwm
        self._block = block
        self._security = security
        self._refused = Refusals("publisher")
        self._maker = EventMaker(understands=understands)
        self._log = logging.getLogger("intentd.publisher")
        self._garbage = GarbageCounter(self._log.warning)
        self._told = (0, 0)
        self._slow = OncePer(60.0)
        self._lost_before = 0
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
                self._context, self._endpoints, hwm=self._hwm, security=self._security
            )
            bind(inlet, self._addresses.inner("publisher"))
            self.control.send(Ready())
            self._loop(inlet, events)
        except Leaving:
            assert events is not None
            self._block = False
            self._take_all(inlet, events)
        except IntentdError as error:
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
        if events.door.revocations is not None:
            poller.register(events.door.revocations, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if inlet in ready:
                self._take_all(inlet, events)
            if events.socket in ready:
                events.take_subscriptions()
            if events.monitor in ready:
                self._refused.add(events.take_connections())
            events.door.take_revocations()
            refusal = self._refused.report(events.door)
            if refusal is not None:
                self._publish(refusal, events)
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
                message = decode_frames(frames)
            except WireError as error:
                if self._garbage.note(error):
                    self._publish(garbage_report("publisher", self._garbage.count), events)
                continue
            self._publish(message, events)
            self._acknowledge(message)

    def _publish(self, message: StageMessage, events: EventSocket) -> None:
        self._log_report(message)
        for event in self._maker.events(message):
            frames = events.frames(event)
            while not events.try_send(frames):
                if not self._block:
                    events.send_lossy(frames)
                    break
                self._wait_for_room()
        if events.lost > self._lost_before and self._slow.due():
            count, self._lost_before = events.lost - self._lost_before, events.lost
            text = "publisher: a subscriber is too slow and loses events; gaps show in the counts"
            report = ErrorReport(
                source="", stream="", code="subscriber-slow", detail=text, count=count
            )
            self._publish(report, events)

    def _wait_for_room(self) -> None:
        """A slow subscriber is to lose nothing: wait a moment. Raises Leaving when told to quit."""
        poller = zmq.Poller()
        self.control.register(poller)
        self.control.check(dict(poller.poll(ROOM_MS)))

    def _log_report(self, message: StageMessage) -> None:
        """What goes wrong is in the log too, for those who subscribe to nothing."""
        if isinstance(message, ErrorReport):
            fields = {"source": message.source, "code": message.code, "count": message.count}
            self._log.warning("%s: %s", message.code, message.detail, extra=fields)
        elif isinstance(message, StateReport):
            level = logging.WARNING if message.state == "device-lost" else logging.INFO
            text = f"{message.state}: {message.detail}" if message.detail else message.state
            prefix = f"{message.source} " if message.source else ""
            fields = {"source": message.source, "code": message.state}
            self._log.log(level, "%s%s", prefix, text, extra=fields)

    def _acknowledge(self, message: StageMessage) -> None:
        if not isinstance(message, Transcript | Progress | EndOfStream):
            return
        # A satellite is a source of its own name; its stream names the worker that serves it.
        owner = message.stream.partition("/")[0]
        socket = self._acks.get(message.source) or self._acks.get(owner)
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
