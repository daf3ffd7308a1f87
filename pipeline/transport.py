"""ZeroMQ sockets as this project uses them: bounded, never lingering, never silently stolen.

The options follow the ZeroMQ guide (chapters 1, 2 and 5): high-water marks are set before bind
and connect, everything bound limits the size of what it takes, and no socket keeps a process
alive.
"""

from __future__ import annotations

import socket as unix
from collections.abc import Callable, Iterable
from typing import Final

import zmq

from models.errors import TransportError
from pipeline.wire import MAX_FRAME_BYTES, WireError

AUDIO_HWM: Final = 20
"""Messages that each side of a hop may hold: about two seconds of audio blocks."""

Socket = zmq.Socket[bytes]
Context = zmq.Context[Socket]


def make_socket(context: Context, kind: int, *, hwm: int = AUDIO_HWM, linger: int = 0) -> Socket:
    """A socket with its limits set. ``linger`` is in milliseconds."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.SNDHWM, hwm)
    socket.setsockopt(zmq.RCVHWM, hwm)
    socket.setsockopt(zmq.LINGER, linger)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
    return socket


def bind(socket: Socket, endpoint: str) -> None:
    """Bind, or raise TransportError that names the endpoint. Never steals a living socket."""
    if endpoint.startswith("ipc://") and is_alive(endpoint):
        raise TransportError(
            f"{endpoint}: another program listens here; stop it or choose another endpoint",
            code="in-use",
        )
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            raise TransportError(
                f"{endpoint}: the port is in use; stop what uses it or choose another",
                code="in-use",
            ) from error
        raise TransportError(f"{endpoint}: can't listen here: {error.strerror}") from error


def is_alive(endpoint: str) -> bool:
    """True when something accepts connections at this ipc endpoint."""
    probe = unix.socket(unix.AF_UNIX, unix.SOCK_STREAM)
    try:
        probe.settimeout(1.0)
        probe.connect(endpoint.removeprefix("ipc://"))
    except OSError:
        return False
    else:
        return True
    finally:
        probe.close()


class GarbageCounter:
    """Counts frames that are not ours, and tells once that there are some."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.count = 0
        self._tell = tell

    def note(self, error: WireError | ValueError) -> None:
        """One more frame was dropped because of ``error``."""
        self.count += 1
        if self.count == 1:
            self._tell(f"a frame that is not ours was dropped ({error}); more are only counted")


def close_all(sockets: Iterable[Socket | None]) -> None:
    """Close sockets, tolerating those that never opened."""
    for socket in sockets:
        if socket is not None:
            socket.close()
