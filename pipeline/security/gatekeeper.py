"""The gatekeeper: answers ZeroMQ's question (ZAP, RFC 27) who may come in.

It lets in nobody but the holders of keys in the allowed list, and tells its watchers when
somebody was taken off it. pyzmq's own authenticator lets clients without encryption in unless it
is told otherwise and says no addresses; this one can't be told so.
"""

from __future__ import annotations

import contextlib
import logging
import socket as unix
import threading
from dataclasses import dataclass
from typing import Final

import zmq
from zmq.utils import z85

from models.errors import TransportError
from pipeline.security.keys import KeyFolder, Peer
from pipeline.transport import Context, OncePer, Socket

ZAP_ENDPOINT: Final = "inproc://zeromq.zap.01"

LOOK_MS: Final = 250
"""How often the list of allowed keys is looked at for changes."""

_REQUEST_FRAMES: Final = 7
"""Version, request id, domain, address, routing id, mechanism, and CURVE's one credential."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Somebody who was not let in."""

    address: str
    public: str
    reason: str


class Gatekeeper:
    """Serves one ZeroMQ context, in a thread of its own."""

    def __init__(self, context: Context, folder: KeyFolder) -> None:
        self._folder = folder
        self._log = logging.getLogger("intentd.security")
        self._told = OncePer(10.0)
        self._lock = threading.Lock()
        self._peers = {peer.public: peer for peer in folder.allowed()}
        self._seen = folder.fingerprint()
        self._watchers: list[unix.socket] = []
        self.last_refusal: Refusal | None = None
        self.users = 0
        self._socket: Socket = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        try:
            self._socket.bind(ZAP_ENDPOINT)
        except zmq.ZMQError as error:
            self._socket.close()
            raise TransportError(f"{ZAP_ENDPOINT}: another gatekeeper is there") from error
        self._stop_receive, self._stop_send = unix.socketpair()
        self._thread = threading.Thread(target=self._serve, name="gatekeeper", daemon=True)
        self._thread.start()

    def watch(self) -> unix.socket:
        """A socket that becomes readable whenever somebody was revoked."""
        receive, send = unix.socketpair()
        receive.setblocking(False)
        send.setblocking(False)
        with self._lock:
            self._watchers.append(send)
        return receive

    def peer(self, name: str) -> Peer | None:
        """The allowed peer of that name, as of now."""
        with self._lock:
            return next((peer for peer in self._peers.values() if peer.name == name), None)

    def close(self) -> None:
        """End the thread."""
        self._stop_send.send(b"!")
        self._thread.join()
        for end in (self._stop_receive, self._stop_send, *self._watchers):
            end.close()

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._stop_receive.fileno(), zmq.POLLIN)
        while True:
            ready = dict(poller.poll(LOOK_MS))
            if self._stop_receive.fileno() in ready:
                self._socket.close()
                return
            self._look()
            if self._socket in ready:
                self._socket.send_multipart(self._reply(self._socket.recv_multipart()))

    def _look(self) -> None:
        """Read the list again if it has changed."""
        seen = self._folder.fingerprint()
        if seen == self._seen:
            return
        self._seen = seen
        peers = {peer.public: peer for peer in self._folder.allowed()}
        with self._lock:
            revoked = [peer for key, peer in self._peers.items() if peers.get(key) != peer]
            self._peers = peers
            watchers = list(self._watchers)
        self._log.info("%d keys are allowed now", len(peers))
        if revoked:
            self._log.warning("revoked: %s", ", ".join(peer.name for peer in revoked))
            for watcher in watchers:
                with contextlib.suppress(OSError):  # it has been told already, or left
                    watcher.send(b"!")

    def _reply(self, request: list[bytes]) -> list[bytes]:
        identity = request[1] if len(request) > 1 else b""
        address = request[3].decode("utf-8", "replace") if len(request) > 3 else "?"
        if len(request) != _REQUEST_FRAMES or request[0] != b"1.0" or request[5] != b"CURVE":
            self._refuse(Refusal(address=address, public="", reason="no CURVE"))
            return [b"1.0", identity, b"400", b"CURVE only", b"", b""]
        domain, key = request[2].decode("utf-8", "replace"), request[6]
        public = z85.encode(key).decode() if len(key) == 32 else ""
        with self._lock:
            peer = self._peers.get(public)
        if peer is None:
            self._refuse(Refusal(address=address, public=public, reason="its key is not allowed"))
            return [b"1.0", identity, b"400", b"unknown key", b"", b""]
        if domain not in peer.rights:
            reason = f"{peer.name} may not use {domain}"
            self._refuse(Refusal(address=address, public=public, reason=reason))
            return [b"1.0", identity, b"400", b"not allowed here", b"", b""]
        self._log.info("%s comes in from %s (%s)", peer.name, address, domain)
        return [b"1.0", identity, b"200", b"OK", peer.name.encode(), b""]

    def _refuse(self, refusal: Refusal) -> None:
        self.last_refusal = refusal
        if self._told.due():
            self._log.warning(
                "refused %s with key %s: %s",
                refusal.address,
                refusal.public or "none",
                refusal.reason,
            )


_gatekeepers: dict[Context, Gatekeeper] = {}
_lock = threading.Lock()


def enter(context: Context, folder: KeyFolder) -> Gatekeeper:
    """The gatekeeper of ``context``; workers that are threads of one process share it."""
    with _lock:
        gatekeeper = _gatekeepers.get(context)
        if gatekeeper is None:
            gatekeeper = _gatekeepers[context] = Gatekeeper(context, folder)
        gatekeeper.users += 1
        return gatekeeper


def leave(context: Context) -> None:
    """The counterpart of ``enter``; the last one to leave ends the thread."""
    with _lock:
        gatekeeper = _gatekeepers[context]
        gatekeeper.users -= 1
        if gatekeeper.users:
            return
        del _gatekeepers[context]
    gatekeeper.close()
