"""The last stage of the chain: events out to apps, acknowledgements back to sources."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

import zmq

from models.errors import IntentdError
from pipeline.addresses import Addresses
from pipeline.answering import Answers
from pipeline.configuration import JournalSection, SecuritySection
from pipeline.control_line import Control, Leaving
from pipeline.event_socket import EventSocket
from pipeline.events import UtteranceEvent
from pipeline.latency import Latency
from pipeline.runner import BATCH, BEAT_MS, Epochs, decode_frames, garbage_report
from pipeline.security.refusals import Refusals
from pipeline.store import Batch, Store
from pipeline.transport import (
    Context,
    GarbageCounter,
    OncePer,
    Socket,
    bind,
    close_all,
    make_socket,
)
from pipeline.wire import Ack, Injected, Ready, Subscribers, WireError, encode
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

STORE_MS: Final = 50
"""How long to wait, while something is due, before looking again."""


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
        journal: JournalSection | None = None,
        epoch: int = 0,
        parent: int | None = None,
    ) -> None:
        self._context = context
        self._addresses = addresses
        self._endpoints = [addresses.events, *endpoints]
        self._hwm = hwm
        self._block = block
        self._security = security
        self._refused = Refusals("publisher")
        self._understands = understands
        self._journal = journal
        self._log = logging.getLogger("intentd.publisher")
        self._garbage = GarbageCounter(self._log.warning)
        self._epochs = Epochs(epoch)
        self._latency = Latency()
        self._told = (0, 0)
        self._leaving = False
        self._slow = OncePer(60.0)
        self._lost_before = 0
        self.control = Control(context, addresses, "publisher", parent)
        self.control.reconnect = self._reconnect
        self.control.figures = self._latency.figures
        self._workers = dict(sources)
        self._acks: dict[str, Socket] = {}
        for source, worker in sources.items():
            socket = make_socket(context, zmq.PUSH, hwm=10_000)
            socket.connect(addresses.inner(f"{worker}.acks"))
            self._acks[source] = socket

    def run(self) -> None:
        """Work until told to quit."""
        inlet = make_socket(self._context, zmq.PULL, hwm=1000)
        events: EventSocket | None = None
        self._store = Store(self._journal, understands=self._understands)
        try:
            events = EventSocket(
                self._context, self._endpoints, hwm=self._hwm, security=self._security
            )
            self._events = events
            for source, body in self._store.states.items():
                events.remember_state(source, body)
            self._answers = Answers(self._store, events, most=max(1, self._hwm // 4))
            events.on_request = self._answers.take
            bind(inlet, self._addresses.inner("publisher"))
            self.control.send(Ready())
            self._loop(inlet)
        except Leaving:
            self._block = False
            if events is not None:
                self._take_all(inlet)
                for batch in self._store.release_all():
                    self._publish(batch)
        except IntentdError as error:
            self.control.fail(error)
        finally:
            self._store.close()
            if events is not None:
                events.close()
            inlet.close()
            close_all(self._acks.values())
            self.control.socket.close()

    def _loop(self, inlet: Socket) -> None:
        events = self._events
        poller = zmq.Poller()
        self.control.register(poller)
        for socket in (inlet, events.socket, events.monitor):
            poller.register(socket, zmq.POLLIN)
        if events.door.revocations is not None:
            poller.register(events.door.revocations, zmq.POLLIN)
        if self._store.wake is not None:
            poller.register(self._store.wake, zmq.POLLIN)
        while True:
            ready = dict(poller.poll(STORE_MS if self._is_waiting else BEAT_MS))
            if inlet in ready:
                self._take_all(inlet)
            self._release()
            if events.socket in ready:
                events.take_subscriptions()
            if events.monitor in ready:
                self._refused.add(events.take_connections())
            events.door.take_revocations()
            refusal = self._refused.report(events.door)
            if refusal is not None:
                self._take(refusal)
            self._tell_subscribers()
            self._answers.retry()
            if self._leaving:
                raise Leaving
            self.control.check(ready)
            self.control.beat(busy=inlet in ready)

    @property
    def _is_waiting(self) -> bool:
        return self._store.waiting or self._answers.waiting

    def _tell_subscribers(self) -> None:
        now = (self._events.peers, self._events.subscriptions)
        if now != self._told:
            self._told = now
            self.control.send(Subscribers(count=min(now)))

    def _take_all(self, inlet: Socket) -> None:
        for _ in range(BATCH):
            try:
                frames = inlet.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                message, epoch = decode_frames(frames)
            except WireError as error:
                if self._garbage.note(error):
                    self._take(garbage_report("publisher", self._garbage.count))
                continue
            if self._epochs.is_stale(message, epoch):
                continue
            self._epochs.begins(message, epoch)
            self._take(message)

    def _take(self, message: StageMessage) -> None:
        self._log_report(message)
        self._store.take(message)
        self.control.done += 1

    def _release(self) -> None:
        for report in self._store.problems():
            self._take(report)
        for batch in self._store.release():
            self._publish(batch)
        self._tell_slow()

    def _publish(self, batch: Batch) -> None:
        for event, body in batch.events:
            frames = self._events.frames(event, body)
            self._send(frames)
        message = batch.message
        if isinstance(message, Transcript):
            if batch.events:
                event = batch.events[-1][0]
                assert isinstance(event, UtteranceEvent)
                self._latency.note(event.timings_ms)
            if message.simulated:
                self.control.send(Injected(id=message.id))
        self._acknowledge(message)

    def _send(self, frames: list[bytes]) -> None:
        while not self._events.try_send(frames):
            if not self._block:
                self._events.send_lossy(frames)
                return
            try:
                self._wait_for_room()
            except Leaving:
                self._block = False
                self._leaving = True

    def _tell_slow(self) -> None:
        events = self._events
        if events.lost <= self._lost_before or not self._slow.due():
            return
        count, self._lost_before = events.lost - self._lost_before, events.lost
        self.control.dropped = events.lost
        text = "publisher: a subscriber is too slow and loses events; gaps show in the counts"
        self._take(
            ErrorReport(source="", stream="", code="subscriber-slow", detail=text, count=count)
        )

    def _wait_for_room(self) -> None:
        """A slow subscriber is to lose nothing: wait a moment. Raises Leaving when told to quit."""
        poller = zmq.Poller()
        self.control.register(poller)
        self.control.check(dict(poller.poll(ROOM_MS)))
        self.control.beat()

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

    def _reconnect(self, name: str) -> None:
        for source, worker in self._workers.items():
            if worker == name:
                self._acks[source].connect(self._addresses.inner(f"{worker}.acks"))

    def _acknowledge(self, message: StageMessage) -> None:
        if not isinstance(message, Transcript | Progress | EndOfStream):
            return
        # A satellite is a source of its own name; its stream names the worker that serves it.
        owner = message.stream.partition("/")[0]
        socket = self._acks.get(message.source) or self._acks.get(owner)
        if socket is None:
            return
        final = isinstance(message, EndOfStream)
        ack = Ack(
            stream=message.stream,
            position=message.position,
            checkpoint=b"" if isinstance(message, EndOfStream) else message.checkpoint,
            final=final,
        )
        try:
            socket.send(encode(ack), zmq.NOBLOCK)
        except zmq.Again:
            self._log.debug("source %s does not take acknowledgements", message.source)
