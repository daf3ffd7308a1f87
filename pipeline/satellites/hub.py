"""The hub's side: a source whose audio comes from satellites, several at once.

Each satellite is a source of its own to apps: its name is that of its key. A busy machine doesn't
read; the satellites then run out of credit and keep their audio. Frames that are damaged, doubled
or out of order never reach a stage.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

import zmq

from models.errors import ConfigurationError
from pipeline.configuration import SatelliteSection, SecuritySection
from pipeline.satellites.frames import (
    MAX_FRAME_BYTES,
    Alive,
    Block,
    Bye,
    Ended,
    FromHub,
    FromSatellite,
    Hello,
    Item,
    Published,
    Rejected,
    Taken,
    Welcome,
    decode_from_satellite,
    encode,
)
from pipeline.satellites.session import Session
from pipeline.satellites.streams import lasting_name_of
from pipeline.security.door import Door
from pipeline.security.refusals import Refusals
from pipeline.transport import Context, GarbageCounter, Socket, make_socket
from pipeline.wire import WireError
from stages.messages import ErrorReport, StageMessage

CREDIT: Final = 50
"""Items that may be under way: 5 s of audio."""

TELL_EVERY: Final = 5
"""Items after which a satellite is told that they were taken."""

LOST_SECONDS: Final = 5.0
"""A satellite that says nothing for so long is told to apps as lost."""

TAKEOVER_SECONDS: Final = 2.5
"""A satellite says something every second; after this another one may have its name."""

MOST_KNOWN: Final = 128
"""Satellites that are remembered while they are away."""

BATCH: Final = 20
"""Frames that are taken before what they made goes on."""

HEARTBEAT_MS: Final = 2000
"""How often ZeroMQ looks whether the other side is there; three times silence is the end."""


class SatelliteHub:
    """Satellites as a source."""

    live = False  # they keep their audio while they have to wait

    def __init__(
        self,
        section: SatelliteSection,
        context: Context,
        security: SecuritySection,
        *,
        events_port: int = 0,
        position: Callable[[str], int] = lambda _stream: 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``position`` tells how far a stream was published by a hub before this one."""
        self.name = section.name
        self._section = section
        self._context = context
        self._security = security
        self._events_port = events_port
        self._position = position
        self._monotonic = monotonic
        self._log = logging.getLogger("intentd.satellites")
        self._garbage = GarbageCounter(self._log.warning)
        self._refusals = Refusals(self.name)
        self._sessions: dict[str, Session] = {}
        self._routes: dict[bytes, Session] = {}
        self._socket: Socket | None = None
        self._door: Door | None = None
        self._made: list[StageMessage] = []

    def open(self) -> None:
        """Listen. Raises TransportError and ConfigurationError."""
        socket = make_socket(self._context, zmq.ROUTER, hwm=1000, linger=500)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
        set_heartbeat(socket)
        self._socket = socket
        self._door = Door(socket, self._context, self._security, "audio")
        self._door.bind([self._section.endpoint])
        self._poller = zmq.Poller()
        self._poller.register(socket, zmq.POLLIN)
        self._poller.register(self._door.monitor, zmq.POLLIN)
        if self._door.revocations is not None:
            self._poller.register(self._door.revocations, zmq.POLLIN)

    def read(self, timeout: float) -> Sequence[StageMessage] | None:
        """What satellites sent since, and who came and went. Never None."""
        assert self._socket is not None
        assert self._door is not None
        self._poller.poll(max(1, round(timeout * 1000)))
        self._refusals.add(self._door.watch())
        if self._door.take_revocations():
            self._forget_revoked(self._door)
        for _ in range(BATCH):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            self._take(frames)
        self._look_around()
        refusal = self._refusals.report(self._door)
        if refusal is not None:
            self._made.append(refusal)
        made, self._made = self._made, []
        return made

    def acknowledge(self, stream: str, position: int, *, final: bool) -> None:
        """Tell the satellite, which then forgets that audio."""
        for session in self._sessions.values():
            told = session.published(stream, position, final=final)
            if told is not None:
                self._send(session.route, told)

    def end(self) -> Sequence[StageMessage]:
        """End all streams, but stay to tell satellites what is published of them."""
        return [m for session in self._sessions.values() for m in session.end()]

    def close(self) -> Sequence[StageMessage]:
        """Stop listening."""
        messages = self.end()
        if self._socket is not None:
            self._socket.disable_monitor()
            self._socket.close()
            self._socket = None
        if self._door is not None:
            self._door.close()
            self._door = None
        return messages

    def _take(self, frames: Sequence[zmq.Frame]) -> None:
        route = frames[0].bytes
        try:
            if len(frames) != 2:
                raise WireError(f"{len(frames)} frames instead of two")
            frame = decode_from_satellite(frames[1].bytes)
            self._handle(route, _user(frames[1]), frame)
        except WireError as error:
            if self._garbage.note(error):
                detail = f"{self.name}: frames that are not ours were dropped"
                self._made.append(
                    ErrorReport(
                        source="",
                        stream="",
                        code="garbage",
                        detail=detail,
                        count=self._garbage.count,
                    )
                )

    def _handle(self, route: bytes, user: str, frame: FromSatellite) -> None:
        if isinstance(frame, Hello):
            self._greet(route, user or frame.name, frame)
            return
        session = self._routes.get(route)
        if session is None:
            self._send(route, Rejected(code="say-hello", detail="who are you?"))
            return
        self._note_alive(session)
        if isinstance(frame, Bye):
            self._made.append(session.state("satellite-left"))
            self._drop(session)
        elif not isinstance(frame, Alive):
            self._take_item(session, frame)

    def _greet(self, route: bytes, name: str, hello: Hello) -> None:
        known = self._sessions.get(name)
        if known is not None and known.id != hello.session:
            silent = self._monotonic() - known.heard
            if known.route != route and silent < TAKEOVER_SECONDS:
                detail = f"another satellite called {name} is connected; give each its own name"
                self._send(route, Rejected(code="name-taken", detail=detail))
                return
            self._drop(known)
            known = None
        try:
            known = known or self._admit(name, hello)
        except ConfigurationError as error:
            self._send(route, Rejected(code="full", detail=error.message))
            return
        self._routes.pop(known.route, None)
        known.route = route
        self._routes[route] = known
        self._note_alive(known)
        welcome = Welcome(next=known.next, credit=CREDIT, events_port=self._events_port)
        self._send(route, welcome)
        for told in known.told_so_far():
            self._send(route, told)

    def _admit(self, name: str, hello: Hello) -> Session:
        """Make room for a new satellite. Raises ConfigurationError where there is none."""
        here = [session for session in self._sessions.values() if not session.lost]
        if len(here) >= self._section.most:
            raise ConfigurationError(
                f"{len(here)} satellites are connected; raise the key most of {self.name}"
            )
        if len(self._sessions) >= MOST_KNOWN:
            away = [session for session in self._sessions.values() if session.lost]
            self._drop(min(away, key=lambda session: session.heard))
        session = Session(self.name, name, hello)
        self._sessions[name] = session
        return session

    def _take_item(self, session: Session, item: Item) -> None:
        now = self._monotonic()
        if item.seq > session.next and not item.oldest:
            if now >= session.complain_at:
                session.complain_at = now + 0.2
                self._send(session.route, Taken(next=session.next, credit=CREDIT, again=True))
            return
        if item.seq >= session.next:
            if isinstance(item, Block) and session.is_new(item.stream):
                self._recall(session, item.stream)
            self._made += session.take(item)
            if isinstance(item, Ended) and session.is_over(item.stream):
                # It was over before this hub began, or gave it up: nobody else will say so.
                self._send(
                    session.route, Published(stream=item.stream, position=item.position, final=True)
                )
        if session.next >= session.told + TELL_EVERY or item.seq < session.next - 1:
            self._tell(session)
        session.tell_at = min(session.tell_at, now + 0.5)

    def _recall(self, session: Session, stream: str) -> None:
        """The hub before this one may have died before it could tell what was published."""
        position = self._position(lasting_name_of(session.name, stream))
        if position:
            self._send(session.route, session.recall(stream, position))

    def _tell(self, session: Session) -> None:
        session.told = session.next
        session.tell_at = float("inf")
        self._send(session.route, Taken(next=session.next, credit=CREDIT))

    def _note_alive(self, session: Session) -> None:
        session.heard = self._monotonic()
        session.ended = False
        if session.lost:
            session.lost = False
            self._made.append(session.state("satellite-found"))

    def _look_around(self) -> None:
        now = self._monotonic()
        for session in list(self._sessions.values()):
            silent = now - session.heard
            if now >= session.tell_at:
                self._tell(session)
            if silent > LOST_SECONDS and not session.lost:
                session.lost = True
                self._made.append(session.state("satellite-lost", f"silent for {silent:.0f} s"))
            if silent > self._section.patience and not session.ended:
                session.ended = True
                self._made += session.end()

    def _forget_revoked(self, door: Door) -> None:
        assert door.gatekeeper is not None
        for session in list(self._sessions.values()):
            peer = door.gatekeeper.peer(session.name)
            if peer is None or "audio" not in peer.rights:
                self._made.append(session.state("satellite-lost", "its key was revoked"))
                session.lost = True
                self._drop(session)

    def _drop(self, session: Session) -> None:
        """Forget a satellite."""
        self._made += session.end()
        self._sessions.pop(session.name, None)
        self._routes.pop(session.route, None)

    def _send(self, route: bytes, frame: FromHub) -> None:
        if self._socket is None:
            return
        with contextlib.suppress(zmq.Again, zmq.ZMQError):  # it is gone, or does not read
            self._socket.send_multipart([route, encode(frame)], zmq.NOBLOCK)


def set_heartbeat(socket: Socket) -> None:
    """Notice within seconds that the other side is gone without a word."""
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 3 * HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TTL, 3 * HEARTBEAT_MS)
    socket.setsockopt(zmq.HANDSHAKE_IVL, 5000)


def _user(frame: zmq.Frame) -> str:
    """Name of the key that the connection was made with, "" on this machine without keys."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""
