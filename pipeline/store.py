"""Events on their way out: numbered, told apart from repetitions, stored, and only then let go."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from models.errors import TransportError
from pipeline.catch_up import SPAN, Page, Request
from pipeline.configuration import JournalSection
from pipeline.event_maker import EventMaker
from pipeline.events import Event, StateEvent, from_json, to_json, topic
from pipeline.journal import JournalFile, JournalReader, Row, journal_path
from pipeline.journal_writer import JournalWriter
from pipeline.numbering import Numbering
from pipeline.satellites.streams import lasting_name
from stages.messages import (
    SAMPLE_RATE,
    ErrorReport,
    Partial,
    StageMessage,
    StateReport,
    Transcript,
)

PATIENCE_SECONDS: Final = 1.0
"""An event that the disk does not take within this time is published all the same."""

REMEMBERED: Final = 10_000
"""Ids of utterances and reports that are known to be published."""

CLOSE_SECONDS: Final = 2.0


class Batch(msgspec.Struct, frozen=True):
    """A message, and the events that it became, with their JSON."""

    message: StageMessage
    events: tuple[tuple[Event, bytes], ...]
    due: float
    """When it is let go even if it is not stored."""


class Store:
    """Takes messages in order and gives them back in order, when their events are stored."""

    def __init__(self, section: JournalSection | None, *, understands: bool) -> None:
        """``section`` of None, or one that is not enabled: nothing is stored."""
        self._waiting: deque[Batch] = deque()
        self._ids: dict[str, None] = {}
        self._partials: dict[str, set[str]] = {}
        self._positions: dict[str, int] = {}
        self._problems: list[tuple[str, str]] = []
        self.states: dict[str, bytes] = {}
        """The last state event of each source, from before this process."""

        self.released = 0
        """Number of the last event that was let go."""

        self._writer: JournalWriter | None = None
        self._reader: JournalReader | None = None
        self._numbering = Numbering(None)
        if section is not None and section.enabled:
            path = journal_path(section)
            try:
                self._numbering = Numbering(path.with_name(path.name + ".seq"))
            except TransportError as error:
                self._problems.append((error.code, error.message))
            else:
                self._open(path, section)
        self.released = self._numbering.last
        self._maker = EventMaker(understands=understands, numbering=self._numbering)

    def _open(self, path: Path, section: JournalSection) -> None:
        file = JournalFile(path, days=section.days, megabytes=section.megabytes)
        self._writer = JournalWriter(file)
        for row in self._writer.open():
            self._numbering.continue_from(row.seq)
            if not row.topic.startswith("partial/"):
                self._remember(row.id)
            if row.topic == "state/":
                self._remember_state(row.body)
        self._writer.done = self._numbering.last
        self._positions = self._writer.positions
        self._reader = JournalReader(path)

    def _remember_state(self, body: bytes) -> None:
        event = from_json(body)
        if isinstance(event, StateEvent) and event.source:
            self.states[event.source] = body

    @property
    def wake(self) -> int | None:
        """A file descriptor that is readable when something can be let go."""
        return self._writer.wake if self._writer else None

    @property
    def waiting(self) -> bool:
        """True while something waits for the disk."""
        return bool(self._waiting)

    def take(self, message: StageMessage) -> None:
        """Make and store the events of a message."""
        events = [] if self._is_known(message) else self._maker.events(message)
        encoded = tuple((event, to_json(event)) for event in events)
        self._waiting.append(Batch(message, encoded, time.monotonic() + PATIENCE_SECONDS))
        if not encoded:
            return
        self._numbering.save()
        if self._writer is not None:
            now = time.time()
            place = self._place(message)
            self._writer.store(
                [Row(e.seq, now, topic(e).decode(), e.id, body, *place) for e, body in encoded]
            )

    def release(self) -> Iterator[Batch]:
        """What may be published now, in order."""
        if self._writer is not None:
            self._writer.drain()
        while self._waiting:
            batch = self._waiting[0]
            if not self._may_go(batch):
                return
            self._waiting.popleft()
            if batch.events:
                self.released = batch.events[-1][0].seq
            yield batch

    def _may_go(self, batch: Batch) -> bool:
        if not batch.events or self._writer is None or time.monotonic() >= batch.due:
            return True
        return batch.events[-1][0].seq <= self._writer.done

    def release_all(self) -> Iterator[Batch]:
        """Everything, when the end has come: what is not stored soon is published without."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._waiting and time.monotonic() < deadline:
            yield from self.release()
            time.sleep(0.001 if self._waiting else 0)
        while self._waiting:
            yield self._waiting.popleft()

    def problems(self) -> list[ErrorReport]:
        """What went wrong with the journal since this was last asked."""
        found, self._problems = self._problems, []
        if self._writer is not None:
            found += self._writer.problems()
        return [
            ErrorReport(source="", stream="", code=code, detail=detail) for code, detail in found
        ]

    def page(self, request: Request, span: int = SPAN) -> tuple[list[Row], Page]:
        """Events out of the journal for a subscriber, and the mark behind them.

        At most ``span`` numbers are looked at, and none that is still on its way to the disk.
        """
        if request.since is None or request.since > self.released or self._reader is None:
            return [], self._mark(self.released)
        until = min(self.released, self._writer.done) if self._writer else self.released
        try:
            rows, last = self._reader.page(
                request.since,
                request.topics,
                until=max(until, request.since),
                span=min(span, SPAN),
            )
        except sqlite3.Error:
            return [], self._mark(self.released, journal=False)
        return rows, self._mark(last)

    def _mark(self, last: int, *, journal: bool = True) -> Page:
        return Page(
            numbering=self._numbering.id,
            last=last,
            more=last < self.released,
            journal=journal and self._reader is not None,
        )

    def _is_known(self, message: StageMessage) -> bool:
        """True for what has been published; notes what is published now."""
        match message:
            case Partial():
                # What is heard a second time after a worker's death was told the first time.
                told = self._partials.setdefault(message.source, set())
                key = f"{message.id} {message.text}"
                if message.id in self._ids or key in told:
                    return True
                if len(told) > 200:
                    told.clear()
                told.add(key)
                return False
            case Transcript() | StateReport() | ErrorReport() if message.id:
                if message.id in self._ids or self._is_heard_again(message):
                    return True
                self._remember(message.id)
                return False
            case _:
                return False

    def _is_heard_again(self, message: StageMessage) -> bool:
        """True for what a satellite sent to a hub that died before it could say: it is out.

        The next hub hears it with other boundaries, so under another id.
        """
        stream, position = self._place(message)
        if not stream or not isinstance(message, Transcript):
            return False
        middle = (message.speech.start + message.speech.end) / 2 * SAMPLE_RATE
        if middle < self._positions.get(stream, 0):
            return True
        self._positions[stream] = position
        return False

    def _place(self, message: StageMessage) -> tuple[str, int]:
        """The stream of a satellite as the satellite knows it, and how far it is published."""
        if isinstance(message, Transcript) and "/" in message.stream:
            return lasting_name(message.stream), message.position
        return "", 0

    def _remember(self, identity: str) -> None:
        self._ids[identity] = None
        while len(self._ids) > REMEMBERED:
            del self._ids[next(iter(self._ids))]

    def close(self) -> None:
        """Store what is left, and let go of the files."""
        if self._writer is not None:
            self._writer.close(CLOSE_SECONDS)
        self._numbering.save()
        self._numbering.close()
