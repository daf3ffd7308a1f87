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
        self.failed: set[int] = set()
        """Places in the list of the recordings that were bad."""

        self.bad = 0
        """How many arguments and recordings were bad."""

    def add(self, event: UtteranceEvent) -> None:
        """An utterance was published."""
        place = self._place(event.file if isinstance(event.file, str) else "")
        if place is None:
            return
        before = self._events.get(place)
        if before and event.speech.start < before[-1].speech.end:
            # It begins again: the same recording stands further on in the list.
            place = self._place(str(event.file), behind=place) or place
        self._events.setdefault(place, []).append(event)
        self._print(done=False)

    def fail(self, event: ErrorEvent) -> None:
        """Something went wrong; a bad recording makes the whole replay end with 2."""
        if event.code == "stage-died":
            return  # the replay ends with this error
        report(SourceError(event.detail))
        if not isinstance(event.file, str):
            return
        self.bad += 1
        place = self._place(event.file)
        if place is not None and (place in self.failed or self._events.get(place)):
            # Perhaps the same recording further on in the list; else it failed in its middle.
            later = self._place(event.file, behind=place)
            place = place if later is None else later
        if place is not None:
            self.failed.add(place)

    def finish(self) -> None:
        """Everything was played."""
        self._print(done=True)

    def events_at(self, place: int) -> list[UtteranceEvent]:
        """The utterances of the recording at this place in the list."""
        return self._events.get(place, [])

    def _place(self, file: str, behind: int = -1) -> int | None:
        """Where ``file`` stands among what is still to come; a name may be given twice."""
        for job in range(self._jobs):
            for place in range(self._current[job], len(self._files), self._jobs):
                if place > behind and self._files[place] == file:
                    self._current[job] = place
                    return place
        return None

    def _print(self, *, done: bool) -> None:
        while self._next < len(self._files):
            self._print_new(self._next)
            over = done or self._current[self._next % self._jobs] > self._next
            if not over:
                return
            if not self._events.get(self._next) and self._next not in self.failed:
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
