"""The client's side: connecting with a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import zmq

from models.errors import ConfigurationError, TransportError
from pipeline.security.keys import KeyFolder, KeyPair, find_pair, find_public

REFUSED: Final = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
"""What ZeroMQ's monitor says, on both sides, when a key is wrong, not allowed or missing."""

PATIENCE: Final = 4
"""Handshakes that may break off before a client takes it for a refusal."""


class Handshakes:
    """Tells a refusal from a connection that was cut, by what a client's monitor says.

    A daemon that is asked with another server's key just hangs up; so does a bad network.
    """

    def __init__(self) -> None:
        self._broken = 0

    def refused(self, event: int) -> bool:
        """True when one more try makes no sense."""
        if event & zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._broken = 0
        if event & zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            self._broken += 1
            return self._broken >= PATIENCE
        return bool(event & REFUSED)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An own key pair, and the public key of the one daemon that is to be talked to."""

    server: str
    pair: KeyPair

    @classmethod
    def find(
        cls, server_key: str | None, key: str | None, folder: KeyFolder | None = None
    ) -> Credentials | None:
        """From what a user gives: keys, names or files; None for neither.

        Raises ConfigurationError when one of the two is missing or no key.
        """
        if server_key is None and key is None:
            return None
        if server_key is None:
            raise ConfigurationError("a key alone is not enough; give the daemon's too: server key")
        if key is None:
            raise ConfigurationError(
                "the server key alone is not enough; make a key with `intentd keys new NAME`, "
                "allow it there, and name it here"
            )
        pair = find_pair(key, folder or KeyFolder())
        return cls(server=find_public(server_key), pair=pair)

    def apply(self, socket: zmq.Socket[bytes]) -> None:
        """Have ``socket`` connect with them; before it connects."""
        socket.setsockopt(zmq.CURVE_SERVERKEY, self.server.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self.pair.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.pair.secret.encode())


def refused(endpoint: str, credentials: Credentials | None) -> TransportError:
    """What to tell who was refused."""
    if credentials is None:
        mend = "it wants a key: give --server-key and --key"
    else:
        mend = (
            "check the server key, and allow this key there: "
            f"intentd keys allow NAME '{credentials.pair.public}'"
        )
    return TransportError(f"{endpoint} refuses the connection; {mend}", code="refused")
