"""The socket that apps subscribe to.

Each event is three frames: the topic, the JSON, and the count of events of this topic so far,
by which a subscriber sees a gap even if it subscribed to a few topics only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import zmq

from models.errors import IntentdError
from pipeline import catch_up
from pipeline.configuration import SecuritySection
from pipeline.events import Event, StateEvent, to_json, topic
from pipeline.security.door import Door
from pipeline.transport import Context, GarbageCounter, make_socket
from pipeline.wire import WireError

FAREWELL_MS: Final = 1500
"""How long the last events may take to reach the subscribers when the daemon ends."""


class EventSocket:
    """The XPUB socket: counts subscribers, remembers the last state, notices slow subscribers."""

    def __init__(
        self,
        context: Context,
        endpoints: list[str],
        *,
        hwm: int,
        security: SecuritySection | None = None,
    ) -> None:
        self._log = logging.getLogger("intentd.publisher")
        self.socket = make_socket(context, zmq.XPUB, hwm=hwm, linger=FAREWELL_MS)
        self.socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)
        self.door = Door(self.socket, context, security or SecuritySection(), "events")
        self.monitor = self.door.monitor
        self._counts: dict[bytes, int] = {}
        self._last_states: dict[str, list[bytes]] = {}
        self.garbage = GarbageCounter(self._log.warning)
        self.on_request: Callable[[bytes], None] = lambda _topic: None
        """Called with the topic by which a subscriber asks for what it has missed."""

        self.subscriptions = 0
        self.lost = 0
        try:
            self.door.bind(endpoints)
        except IntentdError:
            self.close()
            raise

    @property
    def peers(self) -> int:
        """How many programs are connected."""
        return len(self.door.connections)

    def frames(self, event: Event, body: bytes | None = None) -> list[bytes]:
        """An event as it is sent; counts it. Each is to be sent once."""
        name = topic(event)
        self._counts[name] = self._counts.get(name, 0) + 1
        frames = [name, body or to_json(event), str(self._counts[name]).encode()]
        if isinstance(event, StateEvent):
            self._last_states[event.source] = frames
        return frames

    def counts(self, prefixes: tuple[str, ...]) -> dict[str, int]:
        """Events of each topic so far, of topics that begin so."""
        names = {name.decode(): count for name, count in self._counts.items()}
        return {name: count for name, count in names.items() if name.startswith(prefixes)}

    def remember_state(self, source: str, body: bytes) -> None:
        """A state that was published before this socket was made."""
        self._last_states[source] = [b"state/", body, b"0"]

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
            elif frame[1:].startswith(catch_up.PREFIX):
                if frame[:1] == b"\1":
                    self.on_request(frame[1:])
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

    def take_connections(self) -> int:
        """Keep count of the subscribers that are connected; how many were refused since."""
        return self.door.watch()

    def close(self) -> None:
        """Close after the last events are out, or the farewell time is over."""
        self.socket.disable_monitor()
        self.socket.close()
        self.door.close()
