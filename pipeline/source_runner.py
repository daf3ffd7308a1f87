"""Runs one source: takes what it gives, sends it on, and learns what has been published.

A recording waits for the stages behind it. A microphone never waits: what the machine is too
busy for is kept up to a bound, and then the oldest of the quieter half is dropped, counted and
told.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
import zmq

from pipeline.addresses import Addresses
from pipeline.runner import Control, Outlets
from pipeline.transport import Context, GarbageCounter, OncePer, Socket, bind, make_socket
from pipeline.wire import Finished, Go, Opened, Ready, Stop, WireError, decode_ack
from stages.messages import SAMPLE_RATE, AudioBlock, EndOfStream, ErrorReport, StageMessage
from stages.sources.base import DistantSource, Source

READ_SECONDS: Final = 0.25
"""How long a source may wait for audio before control is looked at again."""


class Backlog:
    """Messages that the next stage has no room for yet, bounded in seconds of audio."""

    def __init__(self, seconds: float) -> None:
        self._bound = round(seconds * SAMPLE_RATE)
        self._messages: deque[StageMessage] = deque()
        self._samples = 0

    def __len__(self) -> int:
        return len(self._messages)

    def append(self, message: StageMessage) -> int:
        """Keep ``message``; returns how many samples had to be dropped for it."""
        self._messages.append(message)
        if isinstance(message, AudioBlock):
            self._samples += len(message.pcm) // 2
        dropped = 0
        while self._samples > self._bound:
            dropped += self._drop()
        return dropped

    @property
    def first(self) -> StageMessage:
        """The message that is to be sent next."""
        return self._messages[0]

    def pop(self) -> None:
        """The first message was sent."""
        message = self._messages.popleft()
        if isinstance(message, AudioBlock):
            self._samples -= len(message.pcm) // 2

    def _drop(self) -> int:
        """Drop the oldest block of the quieter half and mark the block behind it."""
        import numpy as np

        blocks = [(index, m) for index, m in enumerate(self._messages) if isinstance(m, AudioBlock)]
        levels = [
            float(np.mean(np.frombuffer(m.pcm, "<i2").astype(np.float32) ** 2)) for _, m in blocks
        ]
        middle = sorted(levels)[(len(levels) - 1) // 2]
        place = next(i for i, level in enumerate(levels) if level <= middle)
        index, victim = blocks[place]
        samples = len(victim.pcm) // 2
        for later, block in blocks[place + 1 :]:
            if block.stream == victim.stream:
                lost = block.lost + victim.lost + samples
                self._messages[later] = msgspec.structs.replace(block, lost=lost)
                break
        del self._messages[index]
        self._samples -= samples
        return samples


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
        live_seconds: float,
        parent: int | None = None,
    ) -> None:
        self.name = name
        self.source = source
        self._distant = source if isinstance(source, DistantSource) else None
        self.control = Control(context, addresses, name, parent)
        self.outlets = Outlets(context, addresses, outlets, self.control)
        self._context = context
        self._addresses = addresses
        self._log = logging.getLogger(f"intentd.{name}")
        self._garbage = GarbageCounter(self._log.warning)
        self._backlog = Backlog(live_seconds)
        self._dropped = 0
        self._every_second = OncePer(1.0)
        self._unpublished: dict[str, int] = {}
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
                self._wait(acks)

    def _wait_for_go(self, acks: Socket) -> bool:
        while True:
            for message in self._wait(acks):
                if isinstance(message, Go):
                    return True
                if isinstance(message, Stop):
                    return False

    def _wait(self, acks: Socket, timeout: int | None = None) -> Sequence[object]:
        """Control messages that came; acknowledgements are taken on the way."""
        ready = dict(self._poller.poll(timeout))
        if acks in ready:
            self._take_acks(acks)
        return self.control.check(ready)

    def _loop(self, acks: Socket) -> None:
        exhausted = False
        while not exhausted:
            messages = self.source.read(READ_SECONDS)
            self._wait(acks, 0)
            if messages is None:
                exhausted = True
            else:
                self._send_all(messages)
            if self.control.stopping and not exhausted:
                end = self._distant.end if self._distant else self.source.close
                self._send_all(end())
                exhausted = True
        while self._backlog:
            self._flush()
            self._wait(acks, 10)
        while self._unpublished:
            self._wait(acks)

    def _send_all(self, messages: Sequence[StageMessage]) -> None:
        self._flush()
        for message in messages:
            if message.stream and isinstance(message, AudioBlock | EndOfStream):
                self._unpublished.setdefault(message.stream, 0)
            if not self.source.live:
                self.outlets.send(message)
                continue
            self._flush()
            if self._backlog or not self.outlets.try_send(message):
                self._keep(message)

    def _flush(self) -> None:
        while self._backlog and self.outlets.try_send(self._backlog.first):
            self._backlog.pop()

    def _keep(self, message: StageMessage) -> None:
        self._dropped += self._backlog.append(message)
        if self._dropped and self._every_second.due():
            self._backlog.append(
                ErrorReport(
                    source=message.source,
                    stream="",
                    code="audio-lost",
                    detail=f"{self.name}: the machine is too busy; live audio was dropped",
                    count=self._dropped,
                )
            )
            self._dropped = 0

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
            if ack.final:
                self._unpublished.pop(ack.stream, None)
            elif ack.stream in self._unpublished:
                self._unpublished[ack.stream] = ack.position
