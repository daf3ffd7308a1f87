"""Where workers run: one process for each, or one thread for each in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod

import msgspec

from pipeline.plan import WorkerSpec
from pipeline.transport import Context
from pipeline.worker import reads_standard_input, run_worker


class Placement(ABC):
    """Starts workers and waits for their end."""

    everybody_left = True
    """False when a worker had to be left behind, so that its sockets may still be open."""

    @abstractmethod
    def start(self, spec: WorkerSpec) -> None:
        """Start a worker."""

    @abstractmethod
    def dead(self) -> list[str]:
        """Names of workers that have ended."""

    @abstractmethod
    def kill(self, names: set[str]) -> None:
        """End workers that can't be told to."""

    @abstractmethod
    def join(self, keep: set[str], seconds: float) -> None:
        """Wait for all but ``keep``; kill what is left after ``seconds``."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what ``join`` left."""


class ProcessPlacement(Placement):
    """One process for each worker: a crash in native code stays there."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._leashes: list[int] = []

    def start(self, spec: WorkerSpec) -> None:
        theirs, ours = os.pipe()
        try:
            self._processes[spec.name] = subprocess.Popen(
                # -P: a folder named models or stages where the user stands must not be imported
                [sys.executable, "-P", "-m", "pipeline.worker", str(theirs), spec.name],
                stdin=None if reads_standard_input(spec) else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs,),
                # Ctrl-C on a terminal is for the daemon alone, which then tells its workers.
                process_group=0,
            )
        finally:
            os.close(theirs)
        os.write(ours, msgspec.json.encode(spec) + b"\n")
        self._leashes.append(ours)

    def dead(self) -> list[str]:
        return [name for name, p in self._processes.items() if p.poll() is not None]

    def join(self, keep: set[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for name, process in self._processes.items():
            if name in keep:
                continue
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self, names: set[str]) -> None:
        for name in names & self._processes.keys():
            self._processes[name].kill()

    def close(self) -> None:
        while self._leashes:
            os.close(self._leashes.pop())


class ThreadPlacement(Placement):
    """One thread for each worker, for small machines."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._threads: dict[str, threading.Thread] = {}

    def start(self, spec: WorkerSpec) -> None:
        thread = threading.Thread(
            target=run_worker, args=(spec, self._context), name=spec.name, daemon=True
        )
        thread.start()
        self._threads[spec.name] = thread

    def dead(self) -> list[str]:
        return [name for name, thread in self._threads.items() if not thread.is_alive()]

    def join(self, keep: set[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for name, thread in self._threads.items():
            if name not in keep:
                thread.join(max(0.0, deadline - time.monotonic()))
        self.everybody_left = not any(
            t.is_alive() for name, t in self._threads.items() if name not in keep
        )

    def kill(self, names: set[str]) -> None:
        """Threads can't be killed; they are told when they listen, and end with the process."""

    def close(self) -> None:
        self._threads.clear()


def make_placement(kind: str, context: Context) -> Placement:
    """The placement that a configuration names."""
    return ThreadPlacement(context) if kind == "thread" else ProcessPlacement()
