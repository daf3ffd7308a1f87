"""The ways out of a worker."""

from __future__ import annotations

from collections.abc import Iterable

import zmq

from pipeline.addresses import Addresses
from pipeline.control_line import Control
from pipeline.transport import Context, Socket, close_all, make_socket
from pipeline.wire import encode
from stages.messages import StageMessage


class Outlets:
    """One socket, or one for each of several equal next stages.

    With several, everything of one source goes the same way, so that its events stay in order.
    """

    def __init__(
        self, context: Context, addresses: Addresses, names: Iterable[str], control: Control
    ) -> None:
        self._control = control
        self._addresses = addresses
        self.sockets: list[Socket] = []
        self._names = tuple(names)
        self._ways: dict[str, int] = {}
        for name in self._names:
            socket = make_socket(context, zmq.PUSH, linger=1000)
            socket.connect(addresses.inner(name))
            self.sockets.append(socket)

    def send(self, message: StageMessage, epoch: int) -> None:
        """Send, waiting while the next stage is busy. Raises Leaving when told to quit."""
        frame = encode(message, epoch)
        socket = self.way(message)
        try:
            socket.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            self._wait_and_send(socket, frame)

    def try_send(self, message: StageMessage, epoch: int) -> bool:
        """Send if the next stage has room."""
        try:
            self.way(message).send(encode(message, epoch), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def reconnect(self, name: str) -> None:
        """The next stage of this name has a new inlet in this process: connect to it."""
        for socket, outlet in zip(self.sockets, self._names, strict=True):
            if outlet == name:
                socket.connect(self._addresses.inner(name))

    def way(self, message: StageMessage) -> Socket:
        """The socket that messages like this one leave by."""
        if len(self.sockets) == 1 or not message.source:
            return self.sockets[0]
        way = self._ways.setdefault(message.source, len(self._ways) % len(self.sockets))
        return self.sockets[way]

    def _wait_and_send(self, socket: Socket, frame: bytes) -> None:
        poller = zmq.Poller()
        self._control.register(poller)
        poller.register(socket, zmq.POLLOUT)
        while True:
            self._control.check(dict(poller.poll(1000)))
            self._control.beat()
            try:
                socket.send(frame, zmq.NOBLOCK)
            except zmq.Again:
                continue
            return

    def close(self) -> None:
        """Close all ways."""
        close_all(self.sockets)
