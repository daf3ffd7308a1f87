"""How the daemon is, for ``intentd status``, metrics and health."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipeline.commands import DaemonStatus, StageStatus
from pipeline.supervisor import Worker

if TYPE_CHECKING:
    from pipeline.daemon import Daemon


def status_of(daemon: Daemon) -> DaemonStatus:
    """All that is known now."""
    now = time.monotonic()
    workers = daemon.supervisor.workers
    publisher = workers.get("publisher")
    return DaemonStatus(
        state=daemon.state,
        uptime=round(time.time() - daemon.begun, 3),
        placement=daemon.configuration.placement,
        subscribers=daemon.subscribers,
        # The way of the data: sources first.
        stages={name: _stage(worker, now) for name, worker in reversed(workers.items())},
        sources={name: daemon.listening.state(name) for name in daemon.listening.sources},
        latency_ms=dict(publisher.beat.figures) if publisher else {},
    )


def _stage(worker: Worker, now: float) -> StageStatus:
    age = max(0.0, now - worker.heard)
    return StageStatus(
        state=worker.state,
        age=round(age, 3),
        idle=round(worker.beat.idle + age, 3),
        uptime=round(now - worker.started, 3),
        queue=worker.beat.queue,
        done=worker.beat.done,
        restarts=worker.restarts,
        dropped=worker.dropped + worker.beat.dropped,
        models=worker.models,
        reason=worker.reason,
    )
