"""The daemon's sockets: to its workers, into the chain, and for those who ask it something."""

from __future__ import annotations

import contextlib
import logging
import socket as unix
from collections.abc import Iterable, Iterator

import zmq

from pipeline.addresses import Addresses
from pipeline.placement import Placement
from pipeline.transport import Context, GarbageCounter, Socket, bind, close_all, make_socket
from pipeline.wire import ControlMessage, WireError, decode_control, encode
from stages.messages import ErrorReport, StageMessage, StateReport


class Lines:
    """Opens and serves the sockets; ``text_inlet`` is the worker that takes transcripts first."""

    def __init__(self, addresses: Addresses, text_inlet: str) -> None:
        self._addresses = addresses
        self._text_inlet = text_inlet
        self._garbage = GarbageCounter(logging.getLogger("intentd.daemon").warning)
        self._sockets: list[Socket] = []
        self._pulses: dict[int, str] = {}
        self._wake_receive, self._wake_send = unix.socketpair()
        self.epoch = 0

    def open(self, context: Context) -> None:
        """Raises TransportError when a place is taken."""
        self._workers = self._make(context, zmq.ROUTER, hwm=10_000)
        # A worker that was started again has the name of one whose line may still seem open.
        self._workers.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self._to_publisher = self._make(context, zmq.PUSH, hwm=1000)
        self._to_text = self._make(context, zmq.PUSH, hwm=1000)
        self.control = self._make(context, zmq.ROUTER, hwm=100)
        bind(self._workers, self._addresses.workers)
        self._to_publisher.connect(self._addresses.inner("publisher"))
        self._to_text.connect(self._addresses.inner(self._text_inlet))
        bind(self.control, self._addresses.control)
        self._poller = zmq.Poller()
        for socket in (self._workers, self.control):
            self._poller.register(socket, zmq.POLLIN)
        self._poller.register(self._wake_receive.fileno(), zmq.POLLIN)

    def _make(self, context: Context, kind: int, *, hwm: int) -> Socket:
        socket = make_socket(context, kind, hwm=hwm, linger=500)
        self._sockets.append(socket)
        return socket

    def wake(self) -> None:
        """Let ``wait`` return, from any thread or a signal handler."""
        with contextlib.suppress(OSError):  # the daemon has ended already
            self._wake_send.send(b"!")

    def wait(self, milliseconds: int) -> bool:
        """Until something came, or the time is over; True when a worker has died."""
        ready = dict(self._poller.poll(milliseconds))
        if self._wake_receive.fileno() in ready:
            self._wake_receive.recv(64)
        return not self._pulses.keys().isdisjoint(ready)

    def watch(self, placement: Placement) -> None:
        """Wake up as soon as one of these workers dies."""
        pulses = placement.pulses()
        if pulses == self._pulses:
            return
        for descriptor in self._pulses:
            self._poller.unregister(descriptor)
        dead = placement.dead()
        self._pulses = {fd: name for fd, name in pulses.items() if name not in dead}
        for descriptor in self._pulses:
            self._poller.register(descriptor, zmq.POLLIN)

    def reports(self) -> Iterator[tuple[str, ControlMessage]]:
        """What workers said, with their names."""
        while True:
            try:
                frames = self._workers.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                if len(frames) != 2:
                    raise WireError(f"{len(frames)} frames instead of two")
                yield frames[0].decode(), decode_control(frames[1])
            except (WireError, UnicodeDecodeError) as error:
                self.garbage(str(error))

    def garbage(self, reason: str) -> None:
        """Something came that is not ours."""
        self._garbage.note(WireError(reason))

    def send(self, names: Iterable[str], message: ControlMessage) -> None:
        """Tell workers."""
        for name in names:
            self._workers.send_multipart([name.encode(), encode(message)])

    def inject(self, message: StageMessage) -> None:
        """Put a text in as if it had been heard. Raises zmq.Again when there is no room."""
        self._to_text.send(encode(message, self.epoch), zmq.NOBLOCK)

    def tell_state(self, state: str, detail: str = "") -> None:
        """Publish what the daemon is doing."""
        self._tell(StateReport(source="", stream="", state=state, detail=detail))

    def tell_error(self, code: str, detail: str, count: int = 1) -> None:
        """Publish that something went wrong."""
        self._tell(ErrorReport(source="", stream="", code=code, detail=detail, count=count))

    def _tell(self, message: StageMessage) -> None:
        with contextlib.suppress(zmq.Again):
            self._to_publisher.send(encode(message, self.epoch), zmq.NOBLOCK)

    def reconnect(self, name: str) -> None:
        """Sockets between threads don't find a new partner by themselves."""
        if name == "publisher":
            self._to_publisher.connect(self._addresses.inner(name))
        if name == self._text_inlet:
            self._to_text.connect(self._addresses.inner(name))

    def close(self) -> None:
        """Close all."""
        close_all(self._sockets)
        self._wake_receive.close()
        self._wake_send.close()
