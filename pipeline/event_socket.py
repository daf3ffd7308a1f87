"""The socket that apps subscribe to.

Each event is three frames: the topic, the JSON, and the count of events of this topic so far,
by which a subscriber sees a gap even if it subscribed to a few topics only.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from models.errors import TransportError
from pipeline.events import Event, StateEvent, to_json, topic
from pipeline.transport import Context, GarbageCounter, Socket, bind, close_all, make_socket
from pipeline.wire import WireError

FAREWELL_MS: Final = 1500
"""How long the last events may take to reach the subscribers when the daemon ends."""


class EventSocket:
    """The XPUB socket: counts subscribers, remembers the last state, notices slow subscribers."""

    def __init__(self, context: Context, endpoints: list[str], *, hwm: int) -> None:
        self._log = logging.getLogger("intentd.publisher")
        self.socket = make_socket(context, zmq.XPUB, hwm=hwm, linger=FAREWELL_MS)
        self.socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)
        self.monitor: Socket = self.socket.get_monitor_socket(
            zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED
        )
        self._counts: dict[bytes, int] = {}
        self._last_states: dict[str, list[bytes]] = {}
        self._connections: set[int] = set()
        self.garbage = GarbageCounter(self._log.warning)
        self.subscriptions = 0
        self.lost = 0
        self._endpoints: list[str] = []
        try:
            for endpoint in endpoints:
                bind(self.socket, endpoint)
                self._endpoints.append(endpoint)
        except TransportError:
            self.close()
            raise

    @property
    def peers(self) -> int:
        """How many programs are connected."""
        return len(self._connections)

    def frames(self, event: Event) -> list[bytes]:
        """An event as it is sent; counts it. Each is to be sent once."""
        name = topic(event)
        self._counts[name] = self._counts.get(name, 0) + 1
        frames = [name, to_json(event), str(self._counts[name]).encode()]
        if isinstance(event, StateEvent):
            self._last_states[event.source] = frames
        return frames

    def send(self, event: Event) -> bool:
        """Publish; returns False when a slow subscriber lost it."""
        frames = self.frames(event)
        return self.try_send(frames) or self.send_lossy(frames)

    def try_send(self, frames: list[bytes]) -> bool:
        """Send to all or, when one subscriber is full, to nobody."""
        for _ in range(2):
            try:
                self.socket.send_multipart(frames, zmq.NOBLOCK)
            except zmq.Again:
                # libzmq looks only about once a millisecond at what its subscribers have taken;
                # asking for the events makes it look now, so that nobody is full by mistake.
                self.socket.getsockopt(zmq.EVENTS)
            else:
                return True
        return False

    def send_lossy(self, frames: list[bytes]) -> bool:
        """Send to all but those that are full."""
        self.socket.setsockopt(zmq.XPUB_NODROP, 0)
        self.socket.send_multipart(frames, zmq.NOBLOCK)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)
        self.lost += 1
        return False

    def take_subscriptions(self) -> None:
        """Read what subscribers sent; a new one gets the last state of each source."""
        while True:
            try:
                frame = b"".join(self.socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                return
            if frame[:1] not in (b"\0", b"\1"):
                self.garbage.note(WireError("a subscriber sent data"))
            elif frame[:1] == b"\0":
                self.subscriptions -= 1
            else:
                self.subscriptions += 1
                if b"state/".startswith(frame[1:]):
                    self._resend_states()

    def _resend_states(self) -> None:
        for frames in list(self._last_states.values()):
            if not self.try_send(frames):
                self._log.debug("a full subscriber keeps the state from a new one")

    def take_connections(self) -> None:
        """Keep count of the subscribers that are connected."""
        while self.monitor.poll(0):
            report = recv_monitor_message(self.monitor)
            if report["event"] == zmq.EVENT_ACCEPTED:
                self._connections.add(report["value"])
            else:
                self._connections.discard(report["value"])

    def close(self) -> None:
        """Close after the last events are out, or the farewell time is over."""
        self.socket.disable_monitor()
        close_all([self.monitor, self.socket])
        for endpoint in self._endpoints:
            if endpoint.startswith("ipc://"):
                Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
