"""Gives subscribers pages of the journal: what they have missed, over the socket of the events."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from pipeline import catch_up
from pipeline.event_socket import EventSocket
from pipeline.store import Store

ANSWER_SECONDS: Final = 10.0
"""How long a subscriber that asked for what it has missed may have no room for it."""


class Answers:
    """Requests, those that are answered and those whose subscriber has no room yet.

    A page covers at most ``most`` numbers, so that it never fills a subscriber's queue.
    """

    def __init__(self, store: Store, events: EventSocket, *, most: int) -> None:
        self._store = store
        self._events = events
        self._most = most
        self._unanswered: dict[bytes, tuple[catch_up.Request, float]] = {}

    @property
    def waiting(self) -> bool:
        """True while somebody has no answer yet."""
        return bool(self._unanswered)

    def take(self, topic: bytes) -> None:
        """A subscriber asks for what it has missed."""
        try:
            request = catch_up.parse(topic)
        except ValueError as error:
            self._events.garbage.note(error)
            return
        if not self._answer(topic, request):
            self._unanswered[topic] = (request, time.monotonic() + ANSWER_SECONDS)

    def retry(self) -> None:
        """Those that had no room may have read on meanwhile."""
        for topic, (request, deadline) in list(self._unanswered.items()):
            if self._answer(topic, request) or time.monotonic() > deadline:
                del self._unanswered[topic]

    def _answer(self, topic: bytes, request: catch_up.Request) -> bool:
        """Send a subscriber a page; False when it has no room for all of it."""
        rows, page = self._store.page(request, self._most)
        if page.more and page.last == request.since:
            return False  # the disk is slow
        for place, row in enumerate(rows):
            if not self._events.try_send([topic, row.body, str(place).encode()]):
                return False
        counts = self._events.counts(request.topics)
        page = msgspec.structs.replace(page, rows=len(rows), counts=counts)
        return self._events.try_send([topic, msgspec.json.encode(page), catch_up.PAGE_FRAME])
