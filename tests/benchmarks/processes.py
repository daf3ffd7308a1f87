"""Processes to measure: their time, their memory, and a daemon among them."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline.addresses import events_endpoint
from pipeline.client import Subscriber
from pipeline.events import Event, StateEvent

INTENTD = (sys.executable, "-m", "pipeline.cli")
READY_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Run:
    """A process that has ended, with all that it started."""

    wall: float
    """Seconds from its start to its end."""

    cpu: float
    """Processor seconds, user and system."""

    output: str


def run_to_end(command: Sequence[str]) -> Run:
    """Run a command with a runtime directory of its own. Its messages go to standard error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory(prefix="itdb-") as runtime:
        begun = time.monotonic()
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            env={**os.environ, "XDG_RUNTIME_DIR": runtime, "XDG_STATE_HOME": f"{runtime}/state"},
        )
        wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:5])} … ended with {done.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, done.stdout.decode())


class Daemon:
    """A running ``intentd run`` that is ready, and a subscriber to all its events."""

    def __init__(
        self, process: subprocess.Popen[bytes], subscriber: Subscriber, directory: Path
    ) -> None:
        self.process = process
        self.subscriber = subscriber
        self.directory = directory
        """Where its sockets are."""

    def receive(self, timeout: float) -> Event | None:
        """The next event."""
        return self.subscriber.receive(timeout)

    def family(self) -> list[psutil.Process]:
        """The daemon's process and all that it started."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_seconds(self) -> dict[str, float]:
        """Processor seconds so far, user and system, by worker."""
        return {_name(p): sum(p.cpu_times()[:2]) for p in self.family()}

    def memory(self) -> dict[str, float]:
        """Proportional set size in MB (10^6 bytes) by worker: shared pages count in parts."""
        return {_name(p): _pss(p.pid) / 1e6 for p in self.family()}


def _name(process: psutil.Process) -> str:
    """The worker's name where its command line ends with it, else its number."""
    command = process.cmdline()
    if "pipeline.worker" not in command:
        return "daemon"
    last = command[-1]
    return f"worker {process.pid}" if last.isdigit() else last


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"the kernel tells no Pss of process {pid}")


@contextmanager
def daemon(
    configuration: Path,
    *,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Iterator[Daemon]:
    """Run the daemon in a runtime directory of its own, from ready to a stop in order."""
    with tempfile.TemporaryDirectory(prefix="itdb-") as runtime:
        process = subprocess.Popen(
            [*INTENTD, "run", "-c", str(configuration), "--log-level", "warning"],
            stdin=stdin,
            env={
                **(environment or os.environ),
                "XDG_RUNTIME_DIR": runtime,
                "XDG_STATE_HOME": f"{runtime}/state",
            },
            start_new_session=True,
        )
        try:
            directory = Path(runtime) / "intentd"
            with Subscriber(endpoint=events_endpoint(directory)) as subscriber:
                _wait_ready(process, subscriber)
                yield Daemon(process, subscriber, directory)
        finally:
            _stop(process)


def _wait_ready(process: subprocess.Popen[bytes], subscriber: Subscriber) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        event = subscriber.receive(0.5)
        if isinstance(event, StateEvent) and event.state == "ready":
            return
    raise RuntimeError("intentd run did not become ready; its messages are above")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
