"""Watches the workers: who lives, who died or hangs, and when one is started again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from models.errors import StageError
from pipeline.configuration import SupervisionSection
from pipeline.placement import Placement
from pipeline.plan import WorkerSpec, sends_again
from pipeline.wire import Beat
from stages.messages import SAMPLE_RATE

START_SECONDS: Final = 60.0
"""Longest time that a worker may take to get ready: a large model on a slow disk."""

SUSPECT_DEATHS: Final = 4
"""A worker that died so often in a row is taken to die of the audio that it is given."""

WorkerState = Literal["starting", "running", "waiting", "given-up", "finished"]


@dataclass(kw_only=True)
class Worker:
    """What is known of one worker."""

    spec: WorkerSpec
    state: WorkerState = "starting"
    started: float = 0.0
    since: float = 0.0
    """When its state began."""

    restarts: int = 0
    deaths: int = 0
    """In a row, without having settled in between."""

    due: float = 0.0
    """When it is to be started again, while it waits for that."""

    heard: float = 0.0
    """When its last heartbeat came."""

    beat: Beat = field(default_factory=Beat)
    models: dict[str, str] = field(default_factory=dict)
    dropped: int = 0
    """What its predecessors had dropped."""

    reason: str = ""
    """Why the last of its predecessors died."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that happened to a worker."""

    kind: Literal["died", "given-up", "hangs"]
    worker: Worker


class Supervisor:
    """Starts workers, and starts them again with exponential back-off when they die."""

    def __init__(
        self,
        plan: Iterable[WorkerSpec],
        placement: Placement,
        section: SupervisionSection,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workers = {spec.name: Worker(spec=spec) for spec in plan}
        self.section = section
        self.epoch = 0
        """Grows whenever a worker was started again."""

        self._placement = placement
        self._clock = clock

    def start_all(self) -> None:
        """Start every worker for the first time."""
        for worker in self.workers.values():
            self._start(worker)

    @property
    def all_run(self) -> bool:
        """True when nobody is missing."""
        return all(w.state in ("running", "finished") for w in self.workers.values())

    def missing(self) -> list[Worker]:
        """Those that don't run though they should."""
        return [w for w in self.workers.values() if w.state not in ("running", "finished")]

    def too_late(self) -> StageError:
        """What to say when some were not ready in time at the start."""
        names = sorted(worker.spec.name for worker in self.missing())
        return StageError(
            f"{', '.join(names)} did not get ready within {START_SECONDS:.0f} seconds; "
            "is the disk or the machine too busy?",
            code="not-ready",
        )

    def note_ready(self, name: str, models: dict[str, str]) -> bool:
        """A worker is ready; True when it was started again, so that audio is to be sent anew."""
        worker = self.workers[name]
        worker.models = models
        worker.heard = self._clock()
        self._enter(worker, "running")
        if worker.restarts and sends_again(worker.spec):
            self.epoch += 1
        return worker.restarts > 0

    def note_beat(self, name: str, beat: Beat) -> None:
        """A worker lives."""
        worker = self.workers[name]
        worker.beat, worker.heard = beat, self._clock()
        self._forgive(worker)

    def note_finished(self, name: str) -> None:
        """A source has nothing more to give."""
        self._enter(self.workers[name], "finished")

    def replace(self, name: str, spec: WorkerSpec) -> None:
        """Start a worker again with another specification, which is no death."""
        worker = self.workers[name]
        worker.spec = spec
        worker.restarts += 1
        self._start(worker)

    def check(self) -> list[Change]:
        """See who died or hangs, and start those again whose time has come."""
        now = self._clock()
        changes = []
        for name, how in self._placement.dead().items():
            worker = self.workers[name]
            if worker.state in ("starting", "running"):
                changes.append(self._bury(worker, how))
        for worker in self.workers.values():
            if self._hangs(worker, now):
                if not self._placement.kill({worker.spec.name}):
                    changes.append(Change(kind="hangs", worker=worker))
                    continue
                changes.append(self._bury(worker, "it showed no life any more and was killed"))
            elif worker.state == "waiting" and now >= worker.due:
                worker.restarts += 1
                self._start(worker)
        return changes

    def next_due(self) -> float | None:
        """Seconds until ``check`` has something to start."""
        due = [w.due for w in self.workers.values() if w.state == "waiting"]
        return max(0.0, min(due) - self._clock()) if due else None

    def _start(self, worker: Worker) -> None:
        spec = msgspec.structs.replace(
            worker.spec,
            # What was on its way to a stage that died, or came from a hub that did, has holes.
            epoch=self.epoch + (worker.restarts > 0 and sends_again(worker.spec)),
            restarts=worker.restarts,
            **self._place(worker),
        )
        worker.dropped += worker.beat.dropped
        worker.beat = Beat()
        worker.started = worker.heard = self._clock()
        self._enter(worker, "starting")
        self._placement.start(spec)

    def _place(self, worker: Worker) -> dict[str, int]:
        """Where a source that plays recordings goes on: what it missed is over, as for ears."""
        figures = worker.beat.figures
        if worker.spec.kind != "source" or "at" not in figures:
            return {}
        passed = self._clock() - figures["at"]
        return {
            "stream": int(figures["stream"]),
            "position": int(figures["position"] + passed * SAMPLE_RATE),
        }

    def _bury(self, worker: Worker, how: str) -> Change:
        worker.reason = how
        self._forgive(worker)  # it may have settled since its last heartbeat
        worker.deaths += 1
        if worker.deaths > self.section.tries:
            self._enter(worker, "given-up")
            return Change(kind="given-up", worker=worker)
        delay = self.section.first_delay * 2 ** (worker.deaths - 1)
        worker.due = self._clock() + min(delay, self.section.longest_delay)
        self._enter(worker, "waiting")
        return Change(kind="died", worker=worker)

    def _forgive(self, worker: Worker) -> None:
        """One that has worked for a while has recovered."""
        worked = self._clock() - worker.since if worker.state == "running" else 0.0
        if worked > self.section.settled_seconds:
            worker.deaths = 0

    def _hangs(self, worker: Worker, now: float) -> bool:
        if worker.state == "running":
            return now - worker.heard > self.section.hang_seconds
        return worker.state == "starting" and now - worker.started > START_SECONDS

    def _enter(self, worker: Worker, state: WorkerState) -> None:
        worker.state = state
        worker.since = self._clock()
