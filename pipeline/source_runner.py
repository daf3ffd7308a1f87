"""Runs one source: takes what it gives, sends it on, and keeps it until it is published.

A recording waits for the stages behind it. A microphone never waits: what the machine is too
busy for is kept up to a bound, and then the oldest of the quieter half is dropped, counted and
told. After a worker's death all that is not published is sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Final

import msgspec
import zmq
from ulid import ULID

from pipeline.activation import Activation
from pipeline.addresses import Addresses
from pipeline.control_line import Control
from pipeline.outlets import Outlets
from pipeline.rings import Rings
from pipeline.transport import Context, GarbageCounter, OncePer, Socket, bind, make_socket
from pipeline.wire import (
    Activity,
    Finished,
    Go,
    Opened,
    Ready,
    Rewind,
    Stop,
    WireError,
    decode_ack,
)
from stages.messages import AudioBlock, ErrorReport, StageMessage, StateReport
from stages.sources.base import DistantSource, Source

READ_SECONDS: Final = 0.25
"""How long a source may wait for audio before control is looked at again."""

BLOCKED_MS: Final = 100
"""The same while the next stage is busy."""


class SourceRunner:
    """Drives a source until it is exhausted or told to stop, and all of it is published."""

    def __init__(
        self,
        name: str,
        source: Source,
        outlets: tuple[str, ...],
        context: Context,
        addresses: Addresses,
        *,
        rings: Rings,
        activation: Activation,
        epoch: int = 0,
        parent: int | None = None,
    ) -> None:
        self.name = name
        self.source = source
        self._distant = source if isinstance(source, DistantSource) else None
        self.control = Control(context, addresses, name, parent)
        self.outlets = Outlets(context, addresses, outlets, self.control)
        self.control.reconnect = self.outlets.reconnect
        self.control.figures = self._figures
        self._context = context
        self._addresses = addresses
        self._log = logging.getLogger(f"intentd.{name}")
        self._garbage = GarbageCounter(self._log.warning)
        self._rings = rings
        self._activation = activation
        self._epoch = epoch
        self._dropped = 0
        self._every_second = OncePer(1.0)
        self._place = ("", 0)
        self._poller = zmq.Poller()
        self.control.register(self._poller)

    def run(self) -> None:
        """Wait for the word to go, then work until done, stopped or told to quit."""
        acks = make_socket(self._context, zmq.PULL, hwm=10_000)
        with self.control.until_quit(acks.close, self.source.close, self.outlets.close):
            bind(acks, self._addresses.inner(f"{self.name}.acks"))
            self._poller.register(acks, zmq.POLLIN)
            self.control.send(Ready())
            if self._wait_for_go(acks):
                self.source.open()
                self.control.send(Opened())
                self._loop(acks)
            self.control.send(Finished())
            while True:  # a Stop may still come, and only Quit ends it
                self._wait(acks, 1000)

    def _wait_for_go(self, acks: Socket) -> bool:
        while True:
            for message in self._wait(acks, 1000):
                if isinstance(message, Go):
                    return True
                if isinstance(message, Stop):
                    return False

    def _wait(self, acks: Socket, timeout: int) -> Sequence[object]:
        """Control messages that came; acknowledgements are taken on the way."""
        ready = dict(self._poller.poll(timeout))
        if acks in ready:
            self._take_acks(acks)
        messages = self.control.check(ready)
        for message in messages:
            if isinstance(message, Rewind):
                self._rewind(message)
            elif isinstance(message, Activity):
                self._activation.change(message)
        self.control.queue = self._rings.unsent
        self.control.beat()
        return messages

    def _loop(self, acks: Socket) -> None:
        exhausted = False
        while not exhausted:
            if self._may_read():
                messages = self.source.read(READ_SECONDS)
            else:
                self._wait_for_room(acks)
                messages = ()
            self._wait(acks, 0)
            if messages is None:
                exhausted = True
            else:
                self._take(messages)
            if self.control.stopping and not exhausted:
                end = self._distant.end if self._distant else self.source.close
                self._take(end())
                exhausted = True
        while self._rings.pending:
            self._flush()
            self._wait_for_room(acks)

    def _wait_for_room(self, acks: Socket) -> None:
        """Until a stage that was busy has room, or something comes in."""
        busy = {self.outlets.way(ring.first) for ring in self._rings.each() if ring.unsent}
        for socket in busy:
            self._poller.register(socket, zmq.POLLOUT)
        try:
            self._wait(acks, BLOCKED_MS)
        finally:
            for socket in busy:
                self._poller.unregister(socket)

    def _may_read(self) -> bool:
        """A recording is read no further while there is no room for it."""
        if not self.source.live and self._rings.unsent:
            self._flush()
        return self.source.live or not (self._rings.unsent or self._rings.full)

    def _take(self, messages: Sequence[StageMessage]) -> None:
        for message in (*messages, *self._activation.reports()):
            if isinstance(message, AudioBlock):
                self.control.done += 1
                self._place = (message.stream, message.position + len(message.pcm) // 2)
                self._rings.append(self._activation.process(message))
            elif isinstance(message, StateReport | ErrorReport):
                self._report(message)
            else:
                self._rings.append(message)
        if self.source.live:
            self._count(self._rings.shed(), "the machine is too busy; live audio was dropped")
        self._flush()

    def _report(self, report: StateReport | ErrorReport) -> None:
        """Reports get their id here, so that one that is sent again stays the same event."""
        self._rings.append(msgspec.structs.replace(report, id=report.id or str(ULID())))

    def _flush(self) -> None:
        for ring in self._rings.each():
            while ring.unsent and self.outlets.try_send(ring.first, self._epoch):
                ring.sent()

    def _count(self, samples: int, reason: str, code: str = "audio-lost") -> None:
        self._dropped += samples
        if not self._dropped or not self._every_second.due():
            return
        self.control.dropped += self._dropped
        self._report(
            ErrorReport(
                source=self.source.name,
                stream="",
                code=code,
                detail=f"{self.name}: {reason}",
                count=self._dropped,
            )
        )
        self._dropped = 0

    def _rewind(self, order: Rewind) -> None:
        self._epoch = order.epoch
        if order.skip:
            samples = self._rings.skip()
            reason = "it brought a stage down again and again and was left out"
            self._count(samples, reason, "audio-skipped")
        lost = self._rings.rewind()
        self._count(lost, "a stage was away for longer than audio is kept")

    def _figures(self) -> dict[str, float]:
        number = self._place[0].rpartition("-")[2]
        stream = float(number) if number.isdigit() else 0.0
        return {"stream": stream, "position": float(self._place[1]), "at": time.monotonic()}

    def _take_acks(self, acks: Socket) -> None:
        while True:
            try:
                frame = acks.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                ack = decode_ack(frame)
            except WireError as error:
                self._garbage.note(error)
                continue
            if self._distant is not None:
                self._distant.acknowledge(ack.stream, ack.position, final=ack.final)
            self._rings.acknowledge(ack.stream, ack.position, ack.checkpoint, final=ack.final)
