"""A bound socket's way in: encrypted where it must be, closed to everybody who is not allowed."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket as unix
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from models.paths import expand
from pipeline.configuration import SecuritySection
from pipeline.security.credentials import REFUSED
from pipeline.security.gatekeeper import Gatekeeper, enter, leave
from pipeline.security.keys import KeyFolder, Right
from pipeline.transport import Context, Socket, bind, close_all

REBIND_SECONDS: Final = 5.0
"""How long the system may take to give a port back that has just been closed."""


def is_guarded(endpoint: str, security: SecuritySection) -> bool:
    """True where only allowed keys may connect: everywhere beyond this machine."""
    if not endpoint.startswith("tcp://"):
        return False
    return security.loopback or not is_loopback(endpoint)


def is_loopback(endpoint: str) -> bool:
    """True when a TCP endpoint can be reached from this machine only."""
    match = re.fullmatch(r"tcp://(.+):(\d+|\*)", endpoint)
    if match is None:
        return False
    host = match.group(1)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def key_folder(security: SecuritySection) -> KeyFolder:
    """The folder of keys that a configuration means."""
    return KeyFolder(expand(security.keys) if security.keys else None)


class Door:
    """Binds a socket's endpoints, counts who is refused, and closes to those that are revoked.

    ``monitor`` and ``revocations`` are to be polled; ``watch`` and ``take_revocations`` called
    when they are ready. ZeroMQ can't close a single connection, so that a revocation ends them
    all: those that are still allowed come back by themselves within moments.
    """

    def __init__(
        self, socket: Socket, context: Context, security: SecuritySection, right: Right
    ) -> None:
        self._socket = socket
        self._context = context
        self._security = security
        self._right: Right = right
        self._log = logging.getLogger("intentd.security")
        self._bound: list[str] = []
        self._guarded: list[str] = []
        self.gatekeeper: Gatekeeper | None = None
        self.revocations: unix.socket | None = None
        self.connections: dict[int, str] = {}
        """Local endpoint of each connection, by its descriptor."""
        self.refused = 0
        self.monitor: Socket = socket.get_monitor_socket(
            zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | REFUSED
        )

    def bind(self, endpoints: Iterable[str]) -> None:
        """Bind all. Raises TransportError, and ConfigurationError without a key."""
        guarded = []
        for endpoint in endpoints:
            if is_guarded(endpoint, self._security):
                guarded.append(endpoint)
                continue
            bind(self._socket, endpoint)
            self._bound.append(endpoint)
        if not guarded:
            return
        folder = key_folder(self._security)
        pair = folder.own(self._security.key)
        self.gatekeeper = enter(self._context, folder)
        self.revocations = self.gatekeeper.watch()
        # From here on: these options hold for what is bound later only.
        self._socket.setsockopt(zmq.CURVE_SERVER, 1)
        self._socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret.encode())
        self._socket.setsockopt(zmq.ZAP_DOMAIN, self._right.encode())
        for endpoint in guarded:
            bind(self._socket, endpoint)
            self._guarded.append(endpoint)

    @property
    def guarded(self) -> tuple[str, ...]:
        """The endpoints that want a key."""
        return tuple(self._guarded)

    def watch(self) -> int:
        """Take what the monitor has to say; how many were refused since it was last asked."""
        before = self.refused
        while self.monitor.poll(0):
            report = recv_monitor_message(self.monitor)
            if report["event"] & REFUSED:
                self.refused += 1
            elif report["event"] == zmq.EVENT_ACCEPTED:
                self.connections[report["value"]] = report["endpoint"].decode()
            else:
                self.connections.pop(report["value"], None)
        return self.refused - before

    def last_refusal(self) -> str:
        """Who was refused last and why, as far as it is known."""
        refusal = self.gatekeeper.last_refusal if self.gatekeeper else None
        if refusal is None:
            return "no encryption, or another server's key"
        return f"last was {refusal.address}, {refusal.reason}"

    def take_revocations(self) -> bool:
        """Close to those that were revoked; True if there were any."""
        if self.revocations is None or not _drain(self.revocations):
            return False
        for endpoint in self._guarded:
            self._socket.unbind(endpoint)
        self.watch()  # it does not tell of connections that end this way
        ports = {endpoint.rpartition(":")[2] for endpoint in self._guarded}
        self.connections = {
            descriptor: endpoint
            for descriptor, endpoint in self.connections.items()
            if not (endpoint.startswith("tcp://") and endpoint.rpartition(":")[2] in ports)
        }
        deadline = time.monotonic() + REBIND_SECONDS
        for endpoint in self._guarded:
            self._rebind(endpoint, deadline)
        return True

    def _rebind(self, endpoint: str, deadline: float) -> None:
        while True:
            try:
                self._socket.bind(endpoint)
            except zmq.ZMQError as error:
                # The port is closed by another thread, in its own time.
                if time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                self._log.error("%s: can't listen again: %s", endpoint, error)
            return

    def close(self) -> None:
        """Unlink what was bound. The socket is the caller's to close, before."""
        close_all([self.monitor])
        if self.gatekeeper is not None:
            leave(self._context)
            self.gatekeeper = None
        if self.revocations is not None:
            self.revocations.close()
        for endpoint in self._bound:
            if endpoint.startswith("ipc://"):
                Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)


def _drain(notices: unix.socket) -> bool:
    try:
        return bool(notices.recv(64))
    except BlockingIOError:
        return False
