"""What a running daemon holds: memory, files, threads of each process, and its queues."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from pipeline.commands import DaemonStatus, Status, ask
from tests.benchmarks.processes import Daemon


@dataclass
class Sample:
    """One look at all processes."""

    minute: float
    rss: dict[str, float] = field(default_factory=dict)
    """MB (10^6 bytes) by worker."""
    files: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    queues: dict[str, int] = field(default_factory=dict)
    """Messages that wait, by worker, where the daemon tells."""
    latency_ms: float | None = None
    """Median from endpoint decision to event since the sample before."""
    heard: int = 0
    """Utterances since the sample before."""


def look(running: Daemon, began: float) -> Sample:
    """A sample of now."""
    sample = Sample(minute=(time.monotonic() - began) / 60)
    for process in running.family():
        with contextlib.suppress(psutil.Error):
            name = _name(process)
            sample.rss[name] = process.memory_info().rss / 1e6
            sample.files[name] = process.num_fds()
            sample.threads[name] = process.num_threads()
    sample.queues = _queues(running.directory)
    return sample


def _name(process: psutil.Process) -> str:
    command = process.cmdline()
    return command[-1] if "pipeline.worker" in command else "daemon"


def _queues(directory: Path) -> dict[str, int]:
    status = ask(Status(), directory).status
    assert isinstance(status, DaemonStatus)
    return {name: stage.queue for name, stage in status.stages.items()}


def write(sample: Sample, path: Path) -> None:
    """One JSON object a line, at once: a soak that is broken off has shown something too."""
    with path.open("a") as file:
        file.write(json.dumps(asdict(sample)) + "\n")


def growth(samples: list[Sample], settle: float) -> dict[str, float]:
    """By how much (0.05 is 5 %) each process has grown since it settled, in minutes.

    Medians of the first and the last fifth of what is behind ``settle`` are compared, so that one
    sample in the middle of an utterance means nothing.
    """
    late = [sample for sample in samples if sample.minute >= settle]
    part = max(1, len(late) // 5)
    names = late[0].rss.keys() & late[-1].rss.keys() if late else set()
    return {
        name: _median([s.rss[name] for s in late[-part:] if name in s.rss])
        / _median([s.rss[name] for s in late[:part] if name in s.rss])
        - 1
        for name in names
    }


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
