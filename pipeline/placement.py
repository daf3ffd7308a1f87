"""Where workers run: one process for each, or one thread for each in this process."""

from __future__ import annotations

import contextlib
import os
import signal
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
    def pulses(self) -> dict[int, str]:
        """Descriptors that become readable when the worker of this name dies."""

    @abstractmethod
    def dead(self) -> dict[str, str]:
        """Names of workers that have ended, and how."""

    @abstractmethod
    def kill(self, names: set[str]) -> bool:
        """End workers that can't be told to; False where that is impossible."""

    @abstractmethod
    def join(self, names: set[str], seconds: float) -> None:
        """Wait for these workers; kill what is left after ``seconds``."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what ``join`` left."""


class ProcessPlacement(Placement):
    """One process for each worker: a crash in native code stays there."""

    def __init__(self, keep_open: tuple[int, ...] = ()) -> None:
        """``keep_open`` are descriptors that every worker inherits and never uses."""
        self._keep_open = keep_open
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._leashes: dict[str, int] = {}
        self._pulses: dict[str, int] = {}

    def start(self, spec: WorkerSpec) -> None:
        self._forget(spec.name)
        theirs, ours = os.pipe()
        pulse, life = os.pipe()
        try:
            self._processes[spec.name] = subprocess.Popen(
                # -P: a folder named models or stages where the user stands must not be imported
                [sys.executable, "-P", "-m", "pipeline.worker", str(theirs), spec.name],
                stdin=None if reads_standard_input(spec) else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs, life, *self._keep_open),
                # Ctrl-C on a terminal is for the daemon alone, which then tells its workers.
                process_group=0,
            )
        finally:
            os.close(theirs)
            os.close(life)
        self._leashes[spec.name], self._pulses[spec.name] = ours, pulse
        with contextlib.suppress(BrokenPipeError):  # dead already
            os.write(ours, msgspec.json.encode(spec) + b"\n")

    def pulses(self) -> dict[int, str]:
        return {pulse: name for name, pulse in self._pulses.items()}

    def dead(self) -> dict[str, str]:
        return {
            name: _ending(p.returncode)
            for name, p in self._processes.items()
            if p.poll() is not None
        }

    def join(self, names: set[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for name in names & self._processes.keys():
            process = self._processes[name]
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._forget(name)

    def kill(self, names: set[str]) -> bool:
        for name in names & self._processes.keys():
            self._processes[name].kill()
            self._processes[name].wait()
        return True

    def _forget(self, name: str) -> None:
        self._processes.pop(name, None)
        for descriptors in (self._leashes, self._pulses):
            if name in descriptors:
                os.close(descriptors.pop(name))

    def close(self) -> None:
        for name in list(self._processes):
            self._forget(name)


def _ending(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"it was killed by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"


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

    def pulses(self) -> dict[int, str]:
        return {}

    def dead(self) -> dict[str, str]:
        return {
            name: "its thread ended"
            for name, thread in self._threads.items()
            if not thread.is_alive()
        }

    def join(self, names: set[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for name in names & self._threads.keys():
            thread = self._threads[name]
            thread.join(max(0.0, deadline - time.monotonic()))
            self.everybody_left &= not thread.is_alive()
            del self._threads[name]

    def kill(self, names: set[str]) -> bool:
        """Threads can't be killed; they are told when they listen, and end with the process."""
        return not names

    def close(self) -> None:
        self._threads.clear()


def make_placement(kind: str, context: Context, keep_open: tuple[int, ...] = ()) -> Placement:
    """The placement that a configuration names."""
    return ThreadPlacement(context) if kind == "thread" else ProcessPlacement(keep_open)
