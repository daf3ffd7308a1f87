"""The satellite's side: its ring of audio, and the connection that comes and goes."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Final

import zmq
from ulid import ULID
from zmq.utils.monitor import recv_monitor_message

from models.errors import TransportError
from pipeline.satellites.codec import make_encoder
from pipeline.satellites.frames import (
    MAX_FRAME_BYTES,
    Alive,
    Block,
    Bye,
    Codec,
    Ended,
    FromHub,
    FromSatellite,
    Hello,
    Published,
    Rejected,
    Said,
    Taken,
    Welcome,
    decode_from_hub,
    encode,
)
from pipeline.satellites.hub import set_heartbeat
from pipeline.satellites.ring import Ring
from pipeline.security.credentials import REFUSED, Credentials, Handshakes, refused
from pipeline.transport import Context, GarbageCounter, Socket, make_socket
from pipeline.wire import WireError
from stages.messages import AudioBlock, EndOfStream, ErrorReport, StageMessage, StateReport

HELLO_SECONDS: Final = 2.0
"""A greeting that was not answered is said again."""

STALL_SECONDS: Final = 4.0
"""No word of what was sent for so long: ask the hub where it stands."""

RETRY_SECONDS: Final = 2.0
"""Between attempts at a hub that refused."""

SOCKET_HWM: Final = 10
"""What ZeroMQ may hold besides the ring: little, because after a cut it is sent again."""


class Link:
    """Sends what was heard to one hub, in order, until it is published there.

    ``state`` is ``searching``, ``connected`` or ``refused``.
    """

    def __init__(
        self,
        endpoint: str,
        name: str,
        credentials: Credentials | None,
        *,
        codec: Codec,
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keeps ``seconds`` of audio. Raises ConfigurationError when the codec is missing."""
        self.endpoint = endpoint
        self.name = name
        self.ring = Ring(seconds)
        self.state = "searching"
        self.reason = "waiting for the hub"
        self.events_port = 0
        self._credentials = credentials
        self._codec: Codec = codec
        self._encoder = make_encoder(codec)
        self._monotonic = monotonic
        self._session = str(ULID())
        self._streams: dict[str, str] = {}
        self._log = logging.getLogger("intentd.satellite")
        self._garbage = GarbageCounter(self._log.warning)
        self._context: Context = zmq.Context()
        self._ever = False
        self._cursor: int | None = None
        self._limit = 0
        self._hello_at = float("inf")
        self._progress_at = 0.0
        self._sent_at = 0.0
        self._retry_at = float("inf")
        self._open()

    def _open(self) -> None:
        self._handshakes = Handshakes()
        socket = make_socket(self._context, zmq.DEALER, hwm=SOCKET_HWM, linger=300)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.RECONNECT_IVL, 200)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)
        set_heartbeat(socket)
        if self._credentials is not None:
            self._credentials.apply(socket)
        self._monitor: Socket = socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | REFUSED
        )
        self._socket = socket
        try:
            socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise TransportError(
                f"{self.endpoint}: no hub to connect to; write tcp://HOST:PORT"
            ) from error

    def close(self) -> None:
        """Say goodbye and disconnect."""
        if self.state == "connected":
            self._send(Bye())
        self._shut()
        self._context.term()

    def _shut(self) -> None:
        self._socket.disable_monitor()
        self._monitor.close()
        self._socket.close()

    def add(self, message: StageMessage) -> None:
        """Keep what the microphone gave until the hub has published it."""
        match message:
            case AudioBlock():
                self.ring.append(self._block(message))
            case EndOfStream():
                stream = self._ident(message.stream)
                del self._streams[message.stream]
                self.ring.append(
                    Ended(seq=0, oldest=False, stream=stream, position=message.position)
                )
            case StateReport():
                self._say(message.state, message.detail, state=True)
            case ErrorReport():
                self._say(message.code, message.detail, message.count)
            case _:
                pass

    def _block(self, block: AudioBlock) -> Block:
        return Block(
            seq=0,
            oldest=False,
            stream=self._ident(block.stream),
            position=block.position,
            captured=max(0.0, block.captured),
            lost=block.lost,
            samples=len(block.pcm) // 2,
            packets=self._encoder.encode(block.pcm),
        )

    def _ident(self, stream: str) -> str:
        """Streams get names that are unique beyond this machine."""
        if stream not in self._streams:
            self._streams[stream] = str(ULID())
            self._encoder = make_encoder(self._codec)
        return self._streams[stream]

    def _say(self, code: str, detail: str, count: int = 1, *, state: bool = False) -> None:
        said = Said(seq=0, oldest=False, state=state, code=code, detail=detail[:400], count=count)
        self.ring.append(said)

    @property
    def done(self) -> bool:
        """True when the hub has published everything."""
        return len(self.ring) == 0

    def step(self, timeout: float) -> None:
        """Take what the hub says and send what it has room for.

        Raises TransportError when the hub refuses this satellite at its first try.
        """
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        poller.poll(round(timeout * 1000))
        self._watch()
        self._receive()
        self._send_due()
        self._mend()

    def _watch(self) -> None:
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)["event"]
            broken = event & zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
            # Who was welcome once has the right key: it is the network that breaks off.
            if self._handshakes.refused(event) and not (broken and self._ever):
                self._note_refusal(refused(self.endpoint, self._credentials))
            elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._greet()
            else:
                self._note_lost()

    def _greet(self) -> None:
        self._cursor = None
        self._hello_at = self._monotonic() + HELLO_SECONDS
        hello = Hello(
            session=self._session, name=self.name, codec=self._codec, first=self.ring.first
        )
        self._send(hello)

    def _note_rejected(self, detail: str) -> None:
        """It may have room later, or find out that the other one of this name is gone."""
        self.state, self.reason, self._cursor = "refused", detail, None
        self._hello_at = self._monotonic() + RETRY_SECONDS

    def _note_refusal(self, error: TransportError) -> None:
        if not self._ever:
            raise error
        self.state, self.reason, self._cursor = "refused", error.message, None
        self._hello_at = float("inf")
        self._retry_at = self._monotonic() + RETRY_SECONDS

    def _note_lost(self) -> None:
        if self.state == "connected":
            self.state, self.reason = "searching", "the hub is gone; audio is kept meanwhile"
        self._cursor = None

    def _receive(self) -> None:
        while True:
            try:
                data = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self._handle(decode_from_hub(data))
            except WireError as error:
                self._garbage.note(error)

    def _handle(self, frame: FromHub) -> None:
        self._progress_at = self._monotonic()
        match frame:
            case Welcome():
                self._begin(frame)
            case Taken():
                self._note_taken(frame)
            case Published():
                self.ring.published(frame.stream, frame.position, final=frame.final)
            case Rejected(code="say-hello"):
                self._greet()
            case Rejected():
                self._note_rejected(frame.detail)

    def _begin(self, welcome: Welcome) -> None:
        self.state, self.reason, self._ever = "connected", f"as {self.name}", True
        self.events_port = welcome.events_port
        self._hello_at = self._retry_at = float("inf")
        self.ring.rewind(welcome.next)
        self._cursor = welcome.next
        self._limit = welcome.next + welcome.credit

    def _note_taken(self, taken: Taken) -> None:
        if self._cursor is None:
            return  # of an earlier connection
        self._limit = max(self._limit, taken.next + taken.credit)
        if taken.again:
            self.ring.rewind(taken.next)
            self._cursor = taken.next
        elif taken.next > self.ring.taken:
            self.ring.take(taken.next)

    def _send_due(self) -> None:
        while self._cursor is not None and self._cursor < self._limit:
            item = self.ring.get(self._cursor)
            if item is None or not self._send(item):
                break
            self._cursor = self.ring.sent = item.seq + 1
        if self.state == "connected" and self._monotonic() - self._sent_at > 1.0:
            self._send(Alive())

    def _send(self, frame: FromSatellite) -> bool:
        with contextlib.suppress(zmq.Again):
            self._socket.send(encode(frame), zmq.NOBLOCK)
            self._sent_at = self._monotonic()
            return True
        return False

    def _mend(self) -> None:
        now = self._monotonic()
        if now >= self._retry_at:
            # ZeroMQ doesn't try again by itself where a key was refused.
            self._retry_at = float("inf")
            self._shut()
            self._open()
        waiting = self._cursor is not None and self._cursor > self.ring.taken
        stalled = waiting and now - self._progress_at > STALL_SECONDS
        if now >= self._hello_at or stalled:
            self._progress_at = now
            self._greet()
