"""The command socket: other programs ask the daemon to do something (REQ/REP, JSON).

A request is ``{"command": NAME, …}``; the reply ``{"ok": true, …}`` or
``{"ok": false, "error": TEXT}``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import zmq
from msgspec import Meta
from ulid import ULID

from models.errors import TransportError
from pipeline.addresses import Addresses
from pipeline.configuration import Name
from pipeline.transport import Context, Socket, is_alive, make_socket
from stages.messages import Span, StageMessage, Transcript


class Say(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="say"):
    """Treat ``text`` as if it had been heard."""

    text: Annotated[str, Meta(max_length=2000)]
    source: Name = "say"


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="ping"):
    """Is anybody there?"""


_decoder = msgspec.json.Decoder(Say | Ping)


class CommandServer:
    """Answers requests. ``inject`` takes a transcript into the chain."""

    def __init__(self, socket: Socket, inject: Callable[[StageMessage], None]) -> None:
        """``socket`` is a bound ROUTER."""
        self.socket = socket
        self._inject = inject

    def serve(self) -> None:
        """Answer all requests that wait."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(frames) != 3 or frames[1]:
                continue
            reply = msgspec.json.encode(self._answer(frames[2]))
            with contextlib.suppress(zmq.Again):  # it went away, or does not read
                self.socket.send_multipart([frames[0], b"", reply], zmq.NOBLOCK)

    def _answer(self, body: bytes) -> dict[str, Any]:
        try:
            request = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return {"ok": False, "error": f"not a request: {error}"}
        if isinstance(request, Ping):
            return {"ok": True}
        text = " ".join(request.text.lower().split())
        if not text:
            return {"ok": False, "error": "there is nothing to say"}
        identity = str(ULID())
        try:
            self._inject(_as_heard(request.source, identity, text))
        except zmq.Again:
            return {"ok": False, "error": "the daemon is busy; try again"}
        return {"ok": True, "id": identity}


def _as_heard(source: str, identity: str, text: str) -> Transcript:
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


def ask(request: Say | Ping, directory: Path, timeout: float = 5.0) -> dict[str, Any]:
    """Send a request to the daemon and return its reply. Raises TransportError."""
    endpoint = Addresses(directory, threads=False).control
    if not is_alive(endpoint):
        raise TransportError(
            f"no intentd runs in {directory}; start one with: intentd run", code="not-running"
        )
    context: Context = zmq.Context()
    socket = make_socket(context, zmq.REQ)
    try:
        socket.connect(endpoint)
        socket.send(msgspec.json.encode(request))
        if not socket.poll(round(timeout * 1000)):
            raise TransportError(f"intentd in {directory} does not answer", code="no-answer")
        reply: dict[str, Any] = msgspec.json.decode(socket.recv())
        return reply
    finally:
        socket.close()
        context.term()
