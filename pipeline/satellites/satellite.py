"""A satellite: a microphone or recordings on one side, a hub on the other, its events back."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Final

from pipeline.client import Subscriber
from pipeline.events import Event
from pipeline.satellites.link import Link
from pipeline.security.credentials import Credentials
from stages.sources.base import Source

STEP_SECONDS: Final = 0.05
"""How long the source and the hub are waited for in turn."""

DRAIN_SECONDS: Final = 10.0
"""At the end the hub has so long to publish what it was sent."""


class Satellite:
    """Runs until its source is exhausted and published, or ``stop`` is called."""

    def __init__(
        self,
        source: Source,
        link: Link,
        *,
        credentials: Credentials | None,
        show: Callable[[Event], None] | None,
        tell: Callable[[str], None],
    ) -> None:
        """``show`` gets the hub's events; ``tell`` what becomes of the connection."""
        self._source = source
        self._link = link
        self._credentials = credentials
        self._show = show
        self._tell = tell
        self._state = ""
        self._lost = 0
        self._events: Subscriber | None = None
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End soon; from a signal handler or another thread."""
        self._stopping.set()

    def run(self) -> bool:
        """True when all that was heard is published. Raises IntentdError."""
        self._source.open()
        try:
            self._listen()
            for message in self._source.close():
                self._link.add(message)
            return self._drain()
        finally:
            self._source.close()
            if self._events is not None:
                self._events.close()
            self._link.close()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            self._step()
            if not self._source.live and self._link.ring.full:
                continue  # a recording waits until there is room
            messages = self._source.read(STEP_SECONDS)
            if messages is None:
                return
            for message in messages:
                self._link.add(message)

    def _drain(self) -> bool:
        """Wait for the hub; without end for a recording, a while after a stop."""
        deadline = float("inf")
        while not self._link.done:
            if self._stopping.is_set():
                deadline = min(deadline, time.monotonic() + DRAIN_SECONDS)
            if time.monotonic() > deadline:
                return False
            self._step()
        self._show_events(1.0)
        return True

    def _step(self) -> None:
        self._link.step(0.0 if self._source.live else STEP_SECONDS / 5)
        self._note_changes()
        self._show_events(0.0)

    def _note_changes(self) -> None:
        link = self._link
        if link.state != self._state:
            self._state = link.state
            self._tell(f"{link.endpoint}: {link.state}: {link.reason}")
            self._connect_events()
        if link.ring.lost > self._lost:
            self._lost = link.ring.lost
            self._tell(f"{self._lost / 16_000:.1f} s of audio had no room and are lost")

    def _connect_events(self) -> None:
        port = self._link.events_port
        if self._show is None or self._events is not None or not port:
            return
        host = self._link.endpoint.rpartition(":")[0]
        self._events = Subscriber(endpoint=f"{host}:{port}", credentials=self._credentials)

    def _show_events(self, timeout: float) -> None:
        if self._events is None or self._show is None:
            return
        while (event := self._events.receive(timeout)) is not None:
            self._show(event)


def host_name(raw: str) -> str:
    """A name for a satellite, made of the machine's."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", raw.partition(".")[0]).strip("-_")[:40] or "satellite"
