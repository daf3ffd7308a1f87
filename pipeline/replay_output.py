"""What ``intentd replay`` prints: the events of each recording, in the order they were given."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from models.errors import SourceError
from pipeline.cli.errors import report
from pipeline.events import ErrorEvent, UtteranceEvent, to_json
from pipeline.rendering import meaning


class ReplayOutput:
    """Collects events by recording, and prints a recording as soon as it and all before are done.

    A recording is done when another one of its share has begun: job ``n`` of ``jobs`` plays
    every ``jobs``-th recording from the ``n``-th on, one after the other.
    """

    def __init__(self, files: Sequence[str], *, style: str, jobs: int) -> None:
        self._files = list(files)
        self._jobs = max(1, min(jobs, len(files)))
        self._style = style
        self._events: dict[int, list[UtteranceEvent]] = {}
        self._current = list(range(self._jobs))
        self._next = 0
        self._printed: dict[int, int] = {}
        self.failed: set[str] = set()
        self.bad = 0

    def add(self, event: UtteranceEvent) -> None:
        """An utterance was published."""
        place = self._place(event.file if isinstance(event.file, str) else "")
        if place is None:
            return
        self._events.setdefault(place, []).append(event)
        self._print(done=False)

    def fail(self, event: ErrorEvent) -> None:
        """Something went wrong; a bad recording makes the whole replay end with 2."""
        report(SourceError(event.detail))
        if not isinstance(event.file, str):
            return
        self.bad += 1
        self.failed.add(event.file)
        self._place(event.file)

    def finish(self) -> None:
        """Everything was played."""
        self._print(done=True)

    def events_of(self, file: str) -> list[UtteranceEvent]:
        """The utterances of a recording."""
        return [
            event
            for place, name in enumerate(self._files)
            if name == file
            for event in self._events.get(place, [])
        ]

    def _place(self, file: str) -> int | None:
        """Index of the recording that ``file`` means now; a name may be given twice."""
        for job in range(self._jobs):
            for place in range(self._current[job], len(self._files), self._jobs):
                if self._files[place] == file:
                    self._current[job] = place
                    return place
        return None

    def _print(self, *, done: bool) -> None:
        while self._next < len(self._files):
            self._print_new(self._next)
            over = done or self._current[self._next % self._jobs] > self._next
            if not over:
                return
            if not self._events.get(self._next) and self._files[self._next] not in self.failed:
                self._line(f"{self._files[self._next]}  (nothing heard)")
            self._next += 1

    def _print_new(self, place: int) -> None:
        events = self._events.get(place, [])
        for event in events[self._printed.get(place, 0) :]:
            if self._style == "json":
                sys.stdout.buffer.write(to_json(event) + b"\n")
                sys.stdout.buffer.flush()
            else:
                self._line(f"{self._files[place]}  {meaning(event)}")
        self._printed[place] = len(events)

    def _line(self, text: str) -> None:
        if self._style == "text":
            click.echo(text)
