"""The client: subscribe to a daemon's events from another app.

Needs pyzmq and msgspec only; nothing of speech is imported.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Final

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from models.errors import TransportError
from pipeline.addresses import events_endpoint
from pipeline.events import Event
from pipeline.following import Following
from pipeline.security.credentials import REFUSED, Credentials, Handshakes, refused

HWM: Final = 10_000
"""Events that may wait in this process while the app is busy."""

ANSWER_SECONDS: Final = 0.5
"""How long a daemon that was just connected to may take to say where its numbers are."""

_Contexts = zmq.Context[zmq.Socket[bytes]]


class Subscriber:
    """A blocking and asyncio iterator of events; also a context manager.

    It connects when it is made and reconnects by itself when the daemon restarts. What it was
    too slow for, and what was published while it was not connected, it gets out of the daemon's
    journal: each event once and in order. ``lost`` counts events that no journal could give
    back, ``malformed`` those that were no events.
    """

    def __init__(
        self,
        *topics: str,
        endpoint: str | None = None,
        timeout: float | None = None,
        since: int | None = None,
        server_key: str | None = None,
        key: str | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """Subscribe to ``topics`` (prefixes like ``intent/``; none means everything).

        ``timeout`` ends the iteration after so many seconds without an event. ``since`` is the
        ``seq`` of the last event that the app has seen: what followed it comes first. To
        subscribe on another machine ``server_key`` is its daemon's public key, and ``key`` the
        name of an own key pair that is allowed there (``intentd keys``); each may be a file
        instead. ``credentials`` are both, found already.
        """
        self.endpoint = endpoint or events_endpoint()
        self.topics = topics or ("",)
        self._timeout = timeout
        self._following = Following(self.topics, since)
        self._request = self._following.request
        self._ready: deque[Event] = deque()
        self._keys = credentials or Credentials.find(server_key, key)
        self._handshakes = Handshakes()
        self._refused = False
        self._context: _Contexts | None = zmq.Context()
        self._socket = self._connect(self._context)
        self._async_socket: zmq.asyncio.Socket | None = None

    @property
    def lost(self) -> int:
        """Events that are missing and that no journal could give back."""
        return self._following.lost

    @property
    def malformed(self) -> int:
        """Messages that were no events."""
        return self._following.malformed

    def _connect(self, context: _Contexts) -> zmq.Socket[bytes]:
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, HWM)
        if self._keys is not None:
            self._keys.apply(socket)
        for topic in self.topics:
            socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        socket.setsockopt(zmq.SUBSCRIBE, self._request)
        self._monitor = socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | REFUSED
        )
        try:
            socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            socket.disable_monitor()
            self._monitor.close()
            socket.close()
            raise TransportError(
                f"{self.endpoint}: no endpoint to subscribe to; write tcp://HOST:PORT or ipc://PATH"
            ) from error
        return socket

    def wait_connected(self, timeout: float) -> bool:
        """Wait until the daemon is there; False after ``timeout`` seconds without one.

        What is published from then on comes to this subscriber. Raises TransportError when the
        daemon refuses this key.
        """
        deadline = time.monotonic() + timeout
        answered = None
        while not self._following.placed:
            left = (answered or deadline) - time.monotonic()
            if left <= 0:
                break
            self._wait(min(left, 0.1))
            if self._watch() and answered is None:
                answered = min(deadline, time.monotonic() + ANSWER_SECONDS)
            if self._refused:
                raise refused(self.endpoint, self._keys)
            self._take_all()
        return self._following.placed or answered is not None

    def receive(self, timeout: float | None = None) -> Event | None:
        """The next event, or None after ``timeout`` seconds without one."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._take_all()
            if self._ready:
                return self._ready.popleft()
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._wait(left)

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
        quiet_since = time.monotonic()
        while True:
            self._take_all()
            while self._ready:
                yield self._ready.popleft()
                quiet_since = time.monotonic()
            left = None
            if self._timeout is not None:
                left = quiet_since + self._timeout - time.monotonic()
                if left <= 0:
                    return
            await socket.poll(_milliseconds(self._patience(left)))

    def _wait(self, seconds: float | None) -> None:
        """Until something can be received, ``seconds`` are over, or an answer is overdue."""
        self._socket.poll(_milliseconds(self._patience(seconds)))

    def _patience(self, seconds: float | None) -> float | None:
        deadline = self._following.deadline
        if deadline is None:
            return seconds
        until = max(0.0, deadline - time.monotonic())
        return until if seconds is None else min(seconds, until)

    def _take_all(self) -> None:
        """Read what is there, up to an event that can be handed on."""
        while not self._ready:
            self._watch()
            if not self._read():
                break
        deadline = self._following.deadline
        if deadline is not None and time.monotonic() >= deadline:
            self._ready += self._following.overdue()
            self._follow()

    def _read(self) -> bool:
        """Read one message, if there is one."""
        try:
            frames = self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return False
        self._ready += self._following.take(frames)
        self._follow()
        return True

    def _watch(self) -> bool:
        """Note what became of the connection; True when there is a new one."""
        found = []
        while int(self._monitor.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            event = recv_monitor_message(self._monitor)["event"]
            self._refused |= self._handshakes.refused(event)
            if not event & REFUSED:
                found.append(event)
        if not found:
            return False
        connected = found[-1] == zmq.EVENT_HANDSHAKE_SUCCEEDED
        if not connected:
            # What is there now came before the end of the connection: nothing is missing in it.
            while self._read():
                pass
        if zmq.EVENT_DISCONNECTED in found:
            self._following.disconnected()
        if connected:
            self._refused = False
            self._following.connected()
        return connected

    def _follow(self) -> None:
        """Send out a request that has changed."""
        request = self._following.request
        if request != self._request:
            self._socket.setsockopt(zmq.SUBSCRIBE, request)
            self._socket.setsockopt(zmq.UNSUBSCRIBE, self._request)
            self._request = request

    def close(self) -> None:
        """Disconnect."""
        if self._context is not None:
            self._async_socket = None
            self._socket.disable_monitor()
            self._monitor.close()
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


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))


def subscribe(
    *topics: str,
    endpoint: str | None = None,
    timeout: float | None = None,
    since: int | None = None,
    server_key: str | None = None,
    key: str | None = None,
) -> Subscriber:
    """Events of the daemon that runs here: ``for event in subscribe("intent/"): …``.

    Without ``topics`` all of them; ``endpoint`` where it publishes somewhere else; ``timeout``
    ends the iteration after so many seconds of silence; ``since`` is the ``seq`` of the last
    event that was seen before; ``server_key`` and ``key`` are for another machine's.
    """
    return Subscriber(
        *topics, endpoint=endpoint, timeout=timeout, since=since, server_key=server_key, key=key
    )
