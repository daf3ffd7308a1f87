"""The daemon: starts the workers, watches them, and ends them in order.

Start: the end of the chain first, sources last and only when all else is ready. End: sources
stop, what was heard is worked on and published, then everybody quits; what has not ended within
``drain_seconds`` is killed.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket as unix
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import zmq

from models.errors import IntentdError, StageError
from pipeline.addresses import Addresses, SocketDirectory
from pipeline.commands import CommandServer
from pipeline.configuration import Configuration
from pipeline.placement import Placement, make_placement
from pipeline.plan import make_plan, text_inlet
from pipeline.transport import Context, GarbageCounter, Socket, bind, close_all, make_socket
from pipeline.wire import (
    ControlMessage,
    Failed,
    Finished,
    Go,
    Opened,
    Quit,
    Ready,
    Stop,
    Subscribers,
    WireError,
    decode_control,
    encode,
)
from stages.messages import ErrorReport, StageMessage, StateReport

START_SECONDS: Final = 60.0
"""Longest time that the workers may take to get ready: a large model on a slow disk."""

QUIT_SECONDS: Final = 3.0
"""How long a worker may take to leave before it is killed."""


class Daemon:
    """Runs one configuration in one socket directory until its sources end or it is stopped.

    ``wait_subscribers`` holds the sources back until so many subscribers are there.
    """

    def __init__(
        self, configuration: Configuration, directory: Path, *, wait_subscribers: int = 0
    ) -> None:
        self.configuration = configuration
        self._directory = SocketDirectory(directory)
        self._addresses = Addresses(directory, threads=configuration.placement == "thread")
        self._plan = make_plan(configuration, str(directory))
        self._sources = {spec.name for spec in self._plan if spec.kind == "source"}
        self._wait_subscribers = wait_subscribers
        self._log = logging.getLogger("intentd.daemon")
        self._garbage = GarbageCounter(self._log.warning)
        self._ready: set[str] = set()
        self._opened: set[str] = set()
        self._finished: set[str] = set()
        self._subscribers = 0
        self._failure: IntentdError | None = None
        self._stop_asked = False
        self.running = False
        """True from ready to the last word."""

        self.ticked = time.monotonic()
        """When the daemon last looked at everything."""
        self._sockets: list[Socket] = []
        self._wake_receive, self._wake_send = unix.socketpair()

    def stop(self) -> None:
        """Ask the daemon to stop, from any thread or a signal handler."""
        self._stop_asked = True
        with contextlib.suppress(OSError):  # it has ended already
            self._wake_send.send(b"!")

    def run(self) -> None:
        """Run until all sources are done or ``stop`` was called.

        Raises IntentdError when a worker can't start or dies, TransportError when the directory
        is taken.
        """
        with self._directory:
            context: Context = zmq.Context()
            placement = make_placement(self.configuration.placement, context)
            try:
                self._open_sockets(context)
                try:
                    self._work(placement)
                finally:
                    self._quit(placement)
            finally:
                close_all(self._sockets)
                placement.close()
                if placement.everybody_left:
                    context.term()
                self._wake_receive.close()
                self._wake_send.close()
        if self._failure is not None:
            raise self._failure

    def _open_sockets(self, context: Context) -> None:
        self._workers = self._open_socket(context, zmq.ROUTER, hwm=10_000)
        bind(self._workers, self._addresses.workers)
        self._to_publisher = self._open_socket(context, zmq.PUSH, hwm=1000)
        self._to_publisher.connect(self._addresses.inner("publisher"))
        self._to_text = self._open_socket(context, zmq.PUSH, hwm=1000)
        self._to_text.connect(self._addresses.inner(text_inlet(self.configuration)))
        control = self._open_socket(context, zmq.ROUTER, hwm=100)
        bind(control, self._addresses.control)
        self._commands = CommandServer(control, self._inject)
        self._poller = zmq.Poller()
        for socket in (self._workers, self._commands.socket):
            self._poller.register(socket, zmq.POLLIN)
        self._poller.register(self._wake_receive.fileno(), zmq.POLLIN)

    def _open_socket(self, context: Context, kind: int, *, hwm: int) -> Socket:
        socket = make_socket(context, kind, hwm=hwm, linger=500)
        self._sockets.append(socket)
        return socket

    def _inject(self, message: StageMessage) -> None:
        self._to_text.send(encode(message), zmq.NOBLOCK)

    def _tell(self, message: StageMessage) -> None:
        with contextlib.suppress(zmq.Again):
            self._to_publisher.send(encode(message), zmq.NOBLOCK)

    def _tell_state(self, state: str) -> None:
        self._tell(StateReport(source="", stream="", state=state))

    def _work(self, placement: Placement) -> None:
        for spec in self._plan:
            placement.start(spec)
        names = {spec.name for spec in self._plan}
        if not self._wait_until(lambda: self._ready >= names, placement, START_SECONDS):
            self._note_late(names - self._ready)
            return
        if not self._wait_until(self._enough_subscribers, placement):
            return
        self._send(self._sources, Go())
        if not self._wait_until(self._sources_open, placement):
            return
        self.running = True
        self._tell_state("ready")
        if not self._wait_until(lambda: self._finished >= self._sources, placement):
            self._drain(placement)

    def _note_late(self, names: set[str]) -> None:
        if not self._stop_asked and self._failure is None:
            self._failure = StageError(
                f"{', '.join(sorted(names))} did not get ready within {START_SECONDS:.0f} seconds; "
                "is the disk or the machine too busy?",
                code="not-ready",
            )

    def _enough_subscribers(self) -> bool:
        return self._subscribers >= self._wait_subscribers

    def _sources_open(self) -> bool:
        return (self._opened | self._finished) >= self._sources

    def _drain(self, placement: Placement) -> None:
        """Let what was heard be worked on and published."""
        if self._failure is not None:
            return
        self._tell_state("stopping")
        self._stop_asked = False
        self._send(self._sources, Stop())
        done = self._wait_until(
            lambda: self._finished >= self._sources, placement, self.configuration.drain_seconds
        )
        if not done:
            self._log.warning("not all that was heard could be worked on before the end")

    def _quit(self, placement: Placement) -> None:
        if self._failure is not None and self.running:
            self._tell(
                ErrorReport(
                    source="", stream="", code=self._failure.code, detail=self._failure.message
                )
            )
        if self.running:
            self._tell_state("stopped")
        self.running = False
        names = {spec.name for spec in self._plan}
        placement.kill(names - self._ready)  # they would not hear that they are to quit
        self._send(names - {"publisher"}, Quit())
        placement.join({"publisher"}, QUIT_SECONDS)
        self._send({"publisher"}, Quit())
        placement.join(set(), QUIT_SECONDS)

    def _send(self, names: set[str], message: ControlMessage) -> None:
        for name in names:
            self._workers.send_multipart([name.encode(), encode(message)])

    def _wait_until(
        self, reached: Callable[[], bool], placement: Placement, seconds: float | None = None
    ) -> bool:
        """Serve until ``reached``; False when stopped, failed or out of time."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not reached():
            if self._stop_asked or self._failure is not None:
                return False
            if deadline is not None and time.monotonic() > deadline:
                return False
            self._serve(placement)
        return True

    def _serve(self, placement: Placement) -> None:
        ready = dict(self._poller.poll(1000))
        self.ticked = time.monotonic()
        if self._wake_receive.fileno() in ready:
            self._wake_receive.recv(64)
        if self._workers in ready:
            self._take_reports()
        if self._commands.socket in ready:
            self._commands.serve()
        for name in placement.dead():
            self._note_dead(name)

    def _note_dead(self, name: str) -> None:
        self._take_reports()
        if self._failure is None:
            self._failure = StageError(
                f"{name} ended unexpectedly; its last words are in the log above",
                code="stage-died",
            )

    def _take_reports(self) -> None:
        while True:
            try:
                frames = self._workers.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                if len(frames) != 2:
                    raise WireError(f"{len(frames)} frames instead of two")
                self._note(frames[0].decode(), decode_control(frames[1]))
            except (WireError, UnicodeDecodeError) as error:
                self._garbage.note(error)

    def _note(self, name: str, message: ControlMessage) -> None:
        match message:
            case Ready():
                self._ready.add(name)
            case Opened():
                self._opened.add(name)
            case Finished():
                self._finished.add(name)
            case Subscribers(count=count):
                self._subscribers = count
            case Failed(code=code, message=text):
                self._log.debug("%s failed: %s", name, text)
                if self._failure is None:
                    self._failure = IntentdError(text, code=code)
            case _:
                self._garbage.note(WireError(f"{name} sent a {type(message).__name__}"))


def install_signals(daemon: Daemon) -> None:
    """SIGINT and SIGTERM stop the daemon in order."""

    def handle(_number: int, _frame: object) -> None:
        daemon.stop()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
