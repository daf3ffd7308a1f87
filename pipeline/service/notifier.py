"""Signs of life for systemd: ready, still turning, stopping.

The messages are sd_notify's, through cysystemd (libsystemd in a wheel). Nothing happens where no
service manager asks for them.
"""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import Final, Protocol

STALE_SECONDS: Final = 10.0
"""The daemon's loop turns once a second; so long without a turn it is not alive."""

LOOK_SECONDS: Final = 1.0


class Watched(Protocol):
    """What the daemon shows."""

    @property
    def running(self) -> bool:
        """True from ready to the last word."""

    @property
    def ticked(self) -> float:
        """When its loop turned last (monotonic)."""


class Notifier:
    """Tells the service manager about a daemon, from a thread, for the length of a ``with``.

    The watchdog is only fed while the daemon's own loop turns: a thread that lives on in a dead
    daemon is no sign of life.
    """

    def __init__(self, daemon: Watched) -> None:
        self._daemon = daemon
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Notifier:
        if os.environ.get("NOTIFY_SOCKET"):
            self._thread = threading.Thread(target=self._watch, name="notifier", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        from cysystemd.daemon import Notification, notify

        every = min(LOOK_SECONDS, watchdog_seconds() / 3)
        ready = False
        while not self._over.wait(every if ready else 0.1):
            if self._daemon.running and not ready:
                ready = True
                notify(Notification.READY)
                notify(Notification.STATUS, "listening")
            elif ready and not self._daemon.running:
                break
            if time.monotonic() - self._daemon.ticked < STALE_SECONDS:
                notify(Notification.WATCHDOG)
        if ready:
            notify(Notification.STOPPING)


def watchdog_seconds() -> float:
    """How long the service manager waits for a sign of life."""
    try:
        return max(0.3, int(os.environ["WATCHDOG_USEC"]) / 1e6)
    except (KeyError, ValueError):
        return 30.0
