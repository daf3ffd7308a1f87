"""The command line in processes of its own, with a private socket directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.client import Subscriber
from pipeline.events import Event, StateEvent

INTENTD = [sys.executable, "-m", "pipeline.cli"]

PIPE_BYTES = 1 << 20
"""Nobody reads what a daemon says before its end: room for the log of hundreds of faults."""


@dataclass
class CommandLine:
    """Runs ``intentd`` with a private socket directory; what is left is killed at the end."""

    directory: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(
        self, *arguments: str, stdin: bytes | None = None, timeout: float = 50
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*INTENTD, *arguments],
            input=stdin,
            capture_output=True,
            env=self.environment,
            timeout=timeout,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*INTENTD, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            start_new_session=True,
            pipesize=PIPE_BYTES,
        )
        self.processes.append(process)
        return process

    def start_daemon(self, configuration: Path) -> subprocess.Popen[str]:
        """``intentd run``, returned when it is ready."""
        process = self.start("run", "-c", str(configuration))
        with Subscriber("state/") as subscriber:
            if wait_for(subscriber, lambda e: isinstance(e, StateEvent) and e.state == "ready"):
                return process
        process.kill()
        raise AssertionError(f"not ready: {process.communicate()}")

    def kill_all(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def wait_for(
    subscriber: Subscriber, condition: Callable[[Event], bool], timeout: float = 30
) -> Event | None:
    """The next event that meets the condition."""
    for _ in range(1000):
        event = subscriber.receive(timeout)
        if event is None or condition(event):
            return event
    return None
