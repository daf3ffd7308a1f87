"""A TCP connection that can be cut, frozen and slowed down: a proxy between two real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class FaultyNetwork:
    """Forwards ``port`` to ``target`` on this machine, as badly as it is told to."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.frozen = False
        """Nothing moves, and nobody is told: a cable that was pulled."""
        self.down = False
        """New connections are refused."""
        self.rate: float | None = None
        """Bytes a second in each direction."""
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections, and let nobody in."""
        self.down = True
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def mend(self) -> None:
        """Everything works again."""
        self.down = self.frozen = False
        self.rate = None

    def close(self) -> None:
        self._closed = True
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 2)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            # Little may hide in the system's buffers, or a slow line would look fast.
            for end in (near, far):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                while self.frozen and not self._closed:
                    time.sleep(0.02)
                if self.rate:
                    time.sleep(len(data) / self.rate)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
