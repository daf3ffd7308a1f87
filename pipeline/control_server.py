"""Answers the requests that come to the control socket."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import zmq
from ulid import ULID

from models.errors import IntentdError
from pipeline.commands import (
    Mute,
    Ping,
    Reload,
    Reply,
    Request,
    Say,
    Status,
    StopDaemon,
    Trigger,
    Unmute,
    read_request,
)
from pipeline.reloading import Reloading
from pipeline.status import status_of
from pipeline.supervisor import Worker
from stages.messages import Span, Transcript

if TYPE_CHECKING:
    from pipeline.daemon import Daemon
    from pipeline.health import HealthServer


class ControlServer:
    """Serves the daemon's control socket, and its HTTP port where one is configured."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._reloading: Reloading | None = None
        self._health: HealthServer | None = None

    def open(self) -> None:
        """Listen. Raises TransportError when the port is taken."""
        port = self._daemon.configuration.metrics.port
        if port:
            from pipeline.health import HealthServer

            self._health = HealthServer(self._daemon, port)

    def close(self) -> None:
        """Stop listening."""
        if self._health is not None:
            self._health.close()

    def serve(self) -> None:
        """Answer all requests that wait, and go on with what takes time."""
        self._go_on()
        while True:
            try:
                frames = self._daemon.lines.control.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(frames) != 3 or frames[1]:
                continue
            reply = self._answer(frames[2], frames[0])
            if reply is not None:
                self._send(frames[0], reply)

    def _go_on(self) -> None:
        if self._reloading is not None:
            self._reloading.tick()
            if self._reloading.over:
                self._reloading = None

    @property
    def busy(self) -> bool:
        """True while ``serve`` is to be called often."""
        return self._reloading is not None

    def note_failed(self, worker: Worker, reason: str) -> bool:
        """A worker could not start; True when that is dealt with here."""
        return self._reloading is not None and self._reloading.note_failed(worker, reason)

    def _send(self, peer: bytes, reply: Reply) -> None:
        with contextlib.suppress(zmq.ZMQError):  # it went away, or does not read
            socket = self._daemon.lines.control
            socket.send_multipart([peer, b"", msgspec.json.encode(reply)], zmq.NOBLOCK)

    def _answer(self, body: bytes, peer: bytes) -> Reply | None:
        """The reply, or None when it follows later."""
        try:
            request = read_request(body)
        except ValueError as error:
            return Reply(ok=False, error=str(error))
        if not self._daemon.running and not isinstance(request, Ping | Status | StopDaemon):
            return Reply(ok=False, error=f"the daemon is {self._daemon.state}; try again")
        try:
            return self._do(request, peer)
        except IntentdError as error:
            return Reply(ok=False, error=error.message)

    def _do(self, request: Request, peer: bytes) -> Reply | None:
        daemon = self._daemon
        match request:
            case Say():
                return self._say(request)
            case Status():
                return Reply(ok=True, status=status_of(daemon))
            case Mute(seconds=seconds):
                return self._each(request.source, lambda name: daemon.listening.mute(name, seconds))
            case Unmute():
                return self._each(request.source, lambda name: daemon.listening.mute(name, 0))
            case Trigger(seconds=seconds):
                if not daemon.listening.push_to_talk:
                    return Reply(
                        ok=False, error="it listens all the time; set activation: push-to-talk"
                    )
                return self._each(
                    request.source, lambda name: daemon.listening.trigger(name, seconds)
                )
            case Reload():
                if self._reloading is not None:
                    return Reply(ok=False, error="it is being done already")
                self._reloading = Reloading(daemon, lambda reply: self._send(peer, reply))
                return None
            case StopDaemon():
                daemon.stop()
        return Reply(ok=True)

    def _each(self, source: str | None, change: Callable[[str], None]) -> Reply:
        names = self._daemon.listening.sources
        if source is not None and source not in names:
            return Reply(
                ok=False, error=f"no source is called {source}; there is {', '.join(names)}"
            )
        for name in names if source is None else [source]:
            change(name)
        return Reply(ok=True)

    def _say(self, request: Say) -> Reply:
        text = " ".join(request.text.lower().split())
        if not text:
            return Reply(ok=False, error="there is nothing to say")
        identity = str(ULID())
        try:
            self._daemon.texts.put(as_heard(request.source, identity, text))
        except zmq.Again:
            return Reply(ok=False, error="the daemon is busy; try again")
        return Reply(ok=True, id=identity)


def as_heard(source: str, identity: str, text: str) -> Transcript:
    """A text as the transcriber would give it."""
    return Transcript(
        source=source,
        stream="",
        id=identity,
        text=text,
        speech=Span(start=0.0, end=0.0),
        position=0,
        captured=time.time(),
        decided=time.monotonic(),
        simulated=True,
    )
