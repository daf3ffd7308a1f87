"""Runs one stage: owns its sockets, feeds it messages, sends on what it makes.

A stage is a plain class; everything that has to do with ZeroMQ, control and errors at the
stage's edge is here.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol

import zmq

from models.errors import IntentdError
from pipeline.addresses import Addresses
from pipeline.transport import Context, GarbageCounter, Socket, bind, close_all, make_socket
from pipeline.wire import (
    ControlMessage,
    Failed,
    Quit,
    Ready,
    Stop,
    WireError,
    decode,
    decode_control,
    encode,
)
from stages.messages import EndOfStream, ErrorReport, Progress, StageMessage, Transcript

BATCH: Final = 64
"""Messages that are worked on before control is looked at again."""


class Stage(Protocol):
    """What turns messages into messages."""

    def open(self) -> Iterable[StageMessage]:
        """Load what is needed; returns reports for the user. Raises IntentdError."""

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """The messages that follow from one message."""

    def close(self) -> None:
        """Let go of everything."""


class Leaving(Exception):  # noqa: N818 - not an error: the worker was told to quit
    """Raised inside a worker when it is told to quit."""


class Control:
    """A worker's line to the daemon.

    The daemon's end of the standard-input pipe, where the worker is a process, is watched too:
    when it closes the daemon is gone, and the worker leaves.
    """

    def __init__(
        self, context: Context, addresses: Addresses, name: str, parent: int | None
    ) -> None:
        self.socket = make_socket(context, zmq.DEALER, hwm=1000, linger=1000)
        self.socket.setsockopt(zmq.IDENTITY, name.encode())
        self.socket.connect(addresses.workers)
        self._parent = parent
        self._log = logging.getLogger(f"intentd.{name}")
        self.stopping = False
        """True once the daemon has said Stop, whoever was listening for it."""

    def register(self, poller: zmq.Poller) -> None:
        """Let ``poller`` wake up for control."""
        poller.register(self.socket, zmq.POLLIN)
        if self._parent is not None:
            poller.register(self._parent, zmq.POLLIN)

    def send(self, message: ControlMessage) -> None:
        """Tell the daemon."""
        self.socket.send(encode(message))

    def check(self, ready: Mapping[object, int]) -> list[ControlMessage]:
        """Messages that came. Raises Leaving for Quit, or when the daemon is gone."""
        if self._parent is not None and self._parent in ready:
            raise Leaving
        if self.socket not in ready:
            return []
        return self.poll()

    def poll(self) -> list[ControlMessage]:
        """Messages that came, without waiting. Raises Leaving for Quit."""
        messages: list[ControlMessage] = []
        while True:
            try:
                frame = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return messages
            message = decode_control(frame)
            if isinstance(message, Quit):
                raise Leaving
            self.stopping |= isinstance(message, Stop)
            messages.append(message)

    @contextlib.contextmanager
    def until_quit(self, *closers: Callable[[], object]) -> Iterator[None]:
        """A worker's life: Quit ends it, what goes wrong is told to the daemon, all is closed."""
        try:
            yield
        except Leaving:
            pass
        except Exception as error:  # noqa: BLE001 - the daemon tells it to the user as one line
            self._log.debug("can't go on", exc_info=True)
            self.fail(error)
        finally:
            for close in closers:
                close()
            self.socket.close()

    def fail(self, error: BaseException) -> None:
        """Tell the daemon why this worker can't go on."""
        if isinstance(error, IntentdError):
            self.send(Failed(code=error.code, message=error.message))
        else:
            self.send(Failed(code="stage-failed", message=f"{type(error).__name__}: {error}"))


class Outlets:
    """The ways out of a stage: one socket, or one for each of several equal next stages.

    With several, everything of one source goes the same way, so that its events stay in order.
    """

    def __init__(
        self, context: Context, addresses: Addresses, names: Iterable[str], control: Control
    ) -> None:
        self._control = control
        self.sockets: list[Socket] = []
        self._way: dict[str, int] = {}
        for name in names:
            socket = make_socket(context, zmq.PUSH, linger=1000)
            socket.connect(addresses.inner(name))
            self.sockets.append(socket)

    def send(self, message: StageMessage) -> None:
        """Send, waiting while the next stage is busy. Raises Leaving when told to quit."""
        frame = encode(message)
        socket = self._choose(message)
        try:
            socket.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            self._wait_and_send(socket, frame)

    def try_send(self, message: StageMessage) -> bool:
        """Send if the next stage has room."""
        try:
            self._choose(message).send(encode(message), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _choose(self, message: StageMessage) -> Socket:
        if len(self.sockets) == 1 or not message.source:
            return self.sockets[0]
        way = self._way.setdefault(message.source, len(self._way) % len(self.sockets))
        return self.sockets[way]

    def _wait_and_send(self, socket: Socket, frame: bytes) -> None:
        poller = zmq.Poller()
        self._control.register(poller)
        poller.register(socket, zmq.POLLOUT)
        while True:
            self._control.check(dict(poller.poll()))
            try:
                socket.send(frame, zmq.NOBLOCK)
            except zmq.Again:
                continue
            return

    def close(self) -> None:
        """Close all ways."""
        close_all(self.sockets)


def decode_frames(frames: list[bytes]) -> StageMessage:
    """The message in what an inlet received. Raises WireError."""
    if len(frames) != 1:
        raise WireError(f"{len(frames)} frames instead of one")
    return decode(frames[0])


def garbage_report(name: str, count: int) -> ErrorReport:
    """What is published when a worker's inlet got frames that are not ours."""
    detail = f"{name}: frames that are not ours were dropped"
    return ErrorReport(source="", stream="", code="garbage", detail=detail, count=count)


class StageRunner:
    """Feeds a stage from its inlet and sends what it makes to its outlets, until told to quit."""

    def __init__(
        self,
        name: str,
        stage: Stage,
        outlets: tuple[str, ...],
        context: Context,
        addresses: Addresses,
        parent: int | None = None,
    ) -> None:
        self.name = name
        self.stage = stage
        self._context = context
        self._addresses = addresses
        self._log = logging.getLogger(f"intentd.{name}")
        self.control = Control(context, addresses, name, parent)
        self.outlets = Outlets(context, addresses, outlets, self.control)
        self.garbage = GarbageCounter(self._log.warning)

    def run(self) -> None:
        """Work until told to quit. Errors while opening are told to the daemon."""
        inlet = make_socket(self._context, zmq.PULL)
        with self.control.until_quit(inlet.close, self.stage.close, self.outlets.close):
            bind(inlet, self._addresses.inner(self.name))
            reports = list(self.stage.open())
            self.control.send(Ready())
            for report in reports:
                self.outlets.send(report)
            self._loop(inlet)

    def _loop(self, inlet: Socket) -> None:
        poller = zmq.Poller()
        self.control.register(poller)
        poller.register(inlet, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            self.control.check(ready)
            if inlet in ready:
                self._take(inlet)

    def _take(self, inlet: Socket) -> None:
        for _ in range(BATCH):
            # Asking is cheaper than the exception that an empty inlet raises.
            if not int(inlet.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                return
            frames = inlet.recv_multipart(zmq.NOBLOCK)
            message = self._decode(frames)
            if message is not None:
                self._process(message)

    def _decode(self, frames: list[bytes]) -> StageMessage | None:
        try:
            return decode_frames(frames)
        except WireError as error:
            if self.garbage.note(error):
                self.outlets.send(garbage_report(self.name, self.garbage.count))
            return None

    def _process(self, message: StageMessage) -> None:
        try:
            for made in self.stage.process(message):
                self.outlets.send(made)
        except Leaving:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: one bad utterance must not end all
            detail = f"{self.name}: {type(error).__name__}: {error}"
            self._log.debug("%s", detail, exc_info=True)
            self.outlets.send(
                ErrorReport(
                    source=message.source,
                    stream=message.stream,
                    file=message.file,
                    code=getattr(error, "code", "stage-failed"),
                    detail=detail,
                )
            )
            # What was heard is published without what this stage would have added, and the
            # source learns how far its stream is dealt with.
            if isinstance(message, Transcript | Progress | EndOfStream):
                self.outlets.send(message)
