"""The last stage of the chain: events out to apps, acknowledgements back to sources."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import zmq

from models.errors import TransportError
from pipeline.addresses import Addresses
from pipeline.event_maker import EventMaker
from pipeline.event_socket import EventSocket
from pipeline.runner import Control, Leaving
from pipeline.transport import Context, GarbageCounter, Socket, bind, close_all, make_socket
from pipeline.wire import Ack, Ready, Subscribers, WireError, decode, encode
from stages.messages import EndOfStream, ErrorReport, Progress, StageMessage, Transcript


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
