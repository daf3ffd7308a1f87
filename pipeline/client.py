"""The client: subscribe to a daemon's events from another app.

Needs pyzmq and msgspec only; nothing of speech is imported.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Final

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from models.errors import TransportError
from pipeline.addresses import events_endpoint
from pipeline.events import Event, StateEvent, from_json
from pipeline.security.credentials import REFUSED, Credentials, Handshakes, refused

HWM: Final = 10_000
"""Events that may wait in this process while the app is busy."""


class Subscriber:
    """A blocking and asyncio iterator of events; also a context manager.

    It connects when it is made and reconnects by itself when the daemon restarts. ``lost`` counts
    events that this subscriber was too slow for; ``malformed`` those that were no events.
    """

    def __init__(
        self,
        *topics: str,
        endpoint: str | None = None,
        timeout: float | None = None,
        server_key: str | None = None,
        key: str | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """Subscribe to ``topics`` (prefixes like ``intent/``; none means everything).

        ``timeout`` ends the iteration after so many seconds without an event. To subscribe on
        another machine ``server_key`` is its daemon's public key, and ``key`` the name of an own
        key pair that is allowed there (``intentd keys``); each may be a file instead.
        ``credentials`` are both, found already.
        """
        self.endpoint = endpoint or events_endpoint()
        self.topics = topics or ("",)
        self.lost = 0
        self.malformed = 0
        self._timeout = timeout
        self._counts: dict[bytes, int] = {}
        self._states: dict[str, str] = {}
        self._keys = credentials or Credentials.find(server_key, key)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = zmq.Context()
        self._socket = self._connect(self._context)
        self._async_socket: zmq.asyncio.Socket | None = None

    def _connect(self, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, HWM)
        if self._keys is not None:
            self._keys.apply(socket)
        for topic in self.topics:
            socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        try:
            socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            socket.close()
            raise TransportError(
                f"{self.endpoint}: no endpoint to subscribe to; write tcp://HOST:PORT or ipc://PATH"
            ) from error
        return socket

    def wait_connected(self, timeout: float) -> bool:
        """Wait until the daemon is there; False after ``timeout`` seconds without one.

        Raises TransportError when it refuses this key.
        """
        monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | REFUSED)
        try:
            # A connection made before the monitor leaves no event: make it again.
            self._socket.disconnect(self.endpoint)
            self._socket.connect(self.endpoint)
            handshakes = Handshakes()
            deadline = time.monotonic() + timeout
            while monitor.poll(max(0, round((deadline - time.monotonic()) * 1000))):
                event = recv_monitor_message(monitor)["event"]
                if handshakes.refused(event):
                    raise refused(self.endpoint, self._keys)
                if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                    return True
            return False
        finally:
            self._socket.disable_monitor()
            monitor.close()

    def receive(self, timeout: float | None = None) -> Event | None:
        """The next event, or None after ``timeout`` seconds without one."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not self._socket.poll(None if left is None else round(left * 1000)):
                return None
            event = self._read(self._socket.recv_multipart())
            if event is not None:
                return event

    def __iter__(self) -> Iterator[Event]:
        while True:
            event = self.receive(self._timeout)
            if event is None:
                return
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._async_socket is None:
            assert self._context is not None
            self._async_socket = zmq.asyncio.Socket(shadow=self._socket)
        socket = self._async_socket
        milliseconds = None if self._timeout is None else round(self._timeout * 1000)
        while True:
            if not await socket.poll(milliseconds):
                return
            event = self._read(await socket.recv_multipart())
            if event is not None:
                yield event

    def _read(self, frames: list[bytes]) -> Event | None:
        try:
            topic, body, count = frames
            event = from_json(body)
            self._note_gap(topic, int(count))
        except ValueError:
            self.malformed += 1
            return None
        if isinstance(event, StateEvent):
            # A state is repeated for whoever subscribes late.
            if self._states.get(event.source) == event.id:
                return None
            self._states[event.source] = event.id
        return event

    def _note_gap(self, topic: bytes, count: int) -> None:
        before = self._counts.get(topic)
        # A smaller count is a daemon that started again, or a repeated state.
        if before is not None and count > before + 1:
            self.lost += count - before - 1
        if before is None or count > before or topic != b"state/":
            self._counts[topic] = count

    def close(self) -> None:
        """Disconnect."""
        if self._context is not None:
            self._async_socket = None
            self._socket.close()
            self._context.term()
            self._context = None

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def subscribe(
    *topics: str,
    endpoint: str | None = None,
    timeout: float | None = None,
    server_key: str | None = None,
    key: str | None = None,
) -> Subscriber:
    """Events of the daemon that runs here: ``for event in subscribe("intent/"): …``.

    Without ``topics`` all of them; ``endpoint`` where it publishes somewhere else; ``timeout``
    ends the iteration after so many seconds of silence; ``server_key`` and ``key`` for another
    machine's.
    """
    return Subscriber(*topics, endpoint=endpoint, timeout=timeout, server_key=server_key, key=key)
