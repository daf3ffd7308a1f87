"""What a subscriber has seen and what it has missed: pure bookkeeping, without a socket.

Live events come as they are published. Where some may be missing, because the subscriber asked
for older ones, was slow, or lost its connection, live events are held while pages of the journal
are read, and whatever both bring is handed on once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
from ulid import ULID

from pipeline.catch_up import PAGE_FRAME, PREFIX, Page, Request
from pipeline.events import Event, StateEvent, from_json

PATIENCE_SECONDS: Final = 3.0
"""So long an answer is waited for."""

HELD: Final = 10_000
"""So many live events are held; more are left to the pages of the journal."""

_pages = msgspec.json.Decoder(Page)


class Following:
    """Turns what a socket receives into events, each once and in order.

    ``request`` is the topic to be subscribed to besides the others; when it changes, the former
    one is to be dropped.
    """

    def __init__(
        self,
        topics: tuple[str, ...],
        since: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topics = topics
        self._clock = clock
        self._last = since or 0
        self._asked = since is not None
        self._numbering: str | None = None
        self._journal = False
        self._behind = self._asked
        self._held: list[Event] = []
        self._patient_since: float | None = None
        self._counts: dict[bytes, int] = {}
        self._counted = False
        self._seen: dict[bytes, int] = {}
        self._marked = 0
        self._rows = 0
        self._given: deque[int] = deque(maxlen=HELD)
        self._ahead: set[int] = set()
        self._states: dict[str, str] = {}
        self.lost = 0
        self.malformed = 0
        self.request = b""
        self._ask(since)

    @property
    def placed(self) -> bool:
        """True when the publisher has told where its numbers are."""
        return self._numbering is not None

    @property
    def deadline(self) -> float | None:
        """When ``overdue`` is to be called, by the clock."""
        return None if self._patient_since is None else self._patient_since + PATIENCE_SECONDS

    def connected(self) -> None:
        """The publisher is there, and has the request."""
        if self._behind:
            self._patient_since = self._clock()

    def disconnected(self) -> None:
        """The publisher is gone; the request goes out again with the next connection."""
        self._counts.clear()
        self._counted = False
        self._patient_since = None
        self._behind = self._behind or self.placed

    def overdue(self) -> list[Event]:
        """No answer came: ask again, or make do with what is held."""
        if self._journal:
            return self._fall_behind()
        if not self.placed:
            self._last = 0
        return self._catch_up()

    def take(self, frames: list[bytes]) -> list[Event]:
        """Events that can be handed on, now that these frames came."""
        try:
            topic, body, count = frames
            if not topic.startswith(PREFIX):
                return self._take_live(topic, from_json(body), int(count))
            if topic != self.request:
                return []  # of a request that was given up
            if count == PAGE_FRAME:
                return self._take_mark(_pages.decode(body))
            return self._take_row(from_json(body), int(count))
        except ValueError:
            self.malformed += 1
            return []

    def _take_live(self, topic: bytes, event: Event, count: int) -> list[Event]:
        missed = self._missed(topic, count)
        before = self._seen.get(topic, self._marked)
        self._seen[topic] = max(before, event.seq)
        if missed and self._journal and not self._behind:
            self._go_back(before)
            self._fall_behind()
        elif not self._behind:
            self.lost += missed
        if self._behind:
            if self._journal and len(self._held) >= HELD:
                self._held.clear()
            self._held.append(event)
            return []
        return self._hand_on(event)

    def _missed(self, topic: bytes, count: int) -> int:
        """Events of this topic that should have come before this one."""
        # A mark tells the counts of all topics: one that is not among them had no event.
        before = self._counts.get(topic, 0 if self._counted else None)
        if count and (before is None or count > before or topic != b"state/"):
            self._counts[topic] = count
        # A smaller count is a daemon that started again, or a repeated state.
        return max(0, count - before - 1) if before is not None else 0

    def _take_row(self, event: Event, place: int) -> list[Event]:
        if place == 0:
            self._rows = 0  # an answer that broke off begins again
        if place != self._rows:
            return []  # one before it is missing; the mark will tell
        self._rows += 1
        return self._hand_on(event)

    def _take_mark(self, page: Page) -> list[Event]:
        if page.rows != self._rows:
            return self._fall_behind()
        asked_now = self.request.startswith(PREFIX + b"now/")
        first, known = self._numbering is None, self._numbering
        self._counts = {name.encode(): count for name, count in page.counts.items()}
        self._counted, self._marked = True, page.last
        self._seen.clear()
        self._numbering, self._journal = page.numbering, page.journal
        if page.numbering != known if known else (self._asked and page.last < self._last):
            # The numbers began anew: all that have one of the new ones are unknown here.
            self._last = 0
            self._given.clear()
            self._ahead.clear()
            return self._fall_behind() if page.journal else self._catch_up()
        if first and asked_now:
            self._last = max(self._last, page.last)
            return self._catch_up()
        if page.journal and asked_now and page.last > self._last:
            return self._fall_behind()
        if page.journal:
            self._last = max(self._last, page.last)
        return self._fall_behind() if page.journal and page.more else self._catch_up()

    def _go_back(self, seq: int) -> None:
        """What came behind ``seq`` is asked for again; other topics may have gone on meanwhile."""
        if seq < self._last:
            self._ahead = {given for given in self._given if given > seq}
            self._last = seq

    def _fall_behind(self) -> list[Event]:
        """Hold what is live, and ask for what is missing."""
        self._behind = True
        self._patient_since = self._clock()
        self._ask(self._last)
        return []

    def _catch_up(self) -> list[Event]:
        """Nothing more is missing: hand on what was held."""
        self._behind = False
        self._patient_since = None
        held, self._held = self._held, []
        handed_on = [event for one in held for event in self._hand_on(one)]
        self._ahead.clear()
        return handed_on

    def _hand_on(self, event: Event) -> list[Event]:
        news = event.seq > self._last and event.seq not in self._ahead
        if isinstance(event, StateEvent) and not self._asked:
            # The last state is repeated for whoever subscribes late.
            before = self._states.get(event.source)
            news = event.id != before and (news or before is None or not self.placed)
            self._states[event.source] = event.id if news or before is None else before
        elif not self.placed and not self._asked:
            news = True
        if not news:
            return []
        self._last = max(self._last, event.seq)
        self._given.append(event.seq)
        return [event]

    def _ask(self, since: int | None) -> None:
        self._rows = 0
        token = str(ULID())
        self.request = Request(since=since, token=token, topics=self._topics).topic()
