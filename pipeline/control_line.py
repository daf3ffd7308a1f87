"""A worker's line to the daemon: orders come in, heartbeats and reports go out."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import zmq

from models.errors import IntentdError
from pipeline.addresses import Addresses
from pipeline.logs import set_level
from pipeline.transport import Context, make_socket
from pipeline.wire import (
    Beat,
    ControlMessage,
    Failed,
    Quit,
    Reconnect,
    Retune,
    Stop,
    decode_control,
    encode,
)

BEAT_SECONDS: Final = 1.0
"""How often a worker that is at work says that it lives."""

IDLE_BEAT_SECONDS: Final = 2.0
"""How often one does that waits: each heartbeat wakes two processes."""


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
        self._beat_at = 0.0
        self._worked_at = time.monotonic()
        self._told = 0
        self.done = 0
        """Messages that the worker worked on; with the next three it tells how it is."""

        self.queue = 0
        self.dropped = 0
        self.figures: Callable[[], dict[str, float]] = dict
        self.stopping = False
        """True once the daemon has said Stop, whoever was listening for it."""

        self.reconnect: Callable[[str], None] = lambda _name: None
        """Called with the name of a worker that was started again in this process."""

    def register(self, poller: zmq.Poller) -> None:
        """Let ``poller`` wake up for control."""
        poller.register(self.socket, zmq.POLLIN)
        if self._parent is not None:
            poller.register(self._parent, zmq.POLLIN)

    def send(self, message: ControlMessage) -> None:
        """Tell the daemon."""
        self.socket.send(encode(message))

    def beat(self, *, busy: bool = True) -> None:
        """Say, when it is time to, that this worker lives; sooner while it is ``busy``."""
        now = time.monotonic()
        if now - self._beat_at < (BEAT_SECONDS if busy else IDLE_BEAT_SECONDS) - 0.05:
            return
        if self.done != self._told:
            self._worked_at = now
        self._beat_at, self._told = now, self.done
        message = Beat(
            queue=self.queue,
            idle=round(now - self._worked_at, 3),
            done=self.done,
            dropped=self.dropped,
            figures=self.figures(),
        )
        with contextlib.suppress(zmq.Again):  # a daemon that hangs must not stop the voice
            self.socket.send(encode(message), zmq.NOBLOCK)

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
            match message := decode_control(frame):
                case Quit():
                    raise Leaving
                case Stop():
                    self.stopping = True
                case Retune(level=level):
                    set_level(level)
                case Reconnect(name=name):
                    self.reconnect(name)
                case _:
                    pass
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
