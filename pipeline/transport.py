"""ZeroMQ sockets as this project uses them: bounded, never lingering, never silently stolen.

The options follow the ZeroMQ guide (chapters 1, 2 and 5): high-water marks are set before bind
and connect, everything bound limits the size of what it takes, and no socket keeps a process
alive.
"""

from __future__ import annotations

import os
import socket as unix
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import zmq

from models.errors import TransportError
from pipeline.addresses import MAX_IPC_PATH
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
    if endpoint.startswith("ipc://"):
        _check_path(endpoint)
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            raise TransportError(
                f"{endpoint}: the port is in use; stop what uses it or choose another",
                code="in-use",
            ) from error
        raise TransportError(
            f"{endpoint}: can't listen here: {zmq.strerror(error.errno or 0)}; choose another place"
        ) from error


def _check_path(endpoint: str) -> None:
    """libzmq would delete whatever is at the path: make sure that it is only a dead socket."""
    path = Path(endpoint.removeprefix("ipc://"))
    if len(os.fsencode(path)) > MAX_IPC_PATH:
        raise TransportError(
            f"{endpoint}: too long a path for a socket (at most {MAX_IPC_PATH} bytes)"
        )
    if path.exists() and not path.is_socket():
        raise TransportError(
            f"{endpoint}: a file is there that is no socket; choose another path", code="in-use"
        )
    if is_alive(endpoint):
        raise TransportError(
            f"{endpoint}: another program listens here; stop it or choose another endpoint",
            code="in-use",
        )


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
    """Counts frames that are not ours, and tells of them, at most once a minute."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.count = 0
        self._tell = tell
        self._minute = OncePer(60.0)

    def note(self, error: WireError | ValueError) -> bool:
        """One more frame was dropped because of ``error``; True when it is time to publish it."""
        self.count += 1
        due = self._minute.due()
        if due:
            self._tell(f"{self.count} frames that are not ours were dropped ({error})")
        return due


class OncePer:
    """Says at most once in so many seconds that something is to be told."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = float("-inf")

    def due(self) -> bool:
        """True when it has not been told within the last seconds."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def close_all(sockets: Iterable[Socket | None]) -> None:
    """Close sockets, tolerating those that never opened."""
    for socket in sockets:
        if socket is not None:
            socket.close()
