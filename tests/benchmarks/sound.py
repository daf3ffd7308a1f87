"""How live audio gets into a daemon: a virtual microphone, or a pipe where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from stages.messages import SAMPLE_RATE
from tests.benchmarks.material import read_wav
from tests.benchmarks.processes import Daemon, daemon
from tests.benchmarks.settings import write_settings
from tests.virtual_microphone import VirtualMicrophone

BLOCK_BYTES = 2 * SAMPLE_RATE // 10
PROGRAMS = ("pulseaudio", "pactl", "paplay")


class Sound(Protocol):
    """A room that a live daemon listens to."""

    what: str
    source: Mapping[str, Any]
    environment: Mapping[str, str]
    stdin: int

    def play(self, path: Path, to: Daemon) -> None:
        """Play a WAV file in real time, to its end."""


class Microphone:
    """PulseAudio's null sink, captured through PortAudio as any microphone is."""

    what = "microphone"
    source: Mapping[str, Any] = {"type": "microphone"}
    stdin = subprocess.DEVNULL

    def __init__(self, virtual: VirtualMicrophone) -> None:
        self._virtual = virtual
        self.environment: Mapping[str, str] = virtual.environment

    def play(self, path: Path, to: Daemon) -> None:  # noqa: ARG002  (it hears by itself)
        if self._virtual.play(path).wait():
            raise RuntimeError(f"paplay can't play {path}")


class Pipe:
    """Raw samples on standard input at the pace of real time."""

    what = "pipe (no PulseAudio here)"
    source: Mapping[str, Any] = {"type": "recording", "name": "pipe", "paths": ["-"]}
    stdin = subprocess.PIPE
    environment: Mapping[str, str] = os.environ

    def play(self, path: Path, to: Daemon) -> None:
        assert to.process.stdin is not None
        pcm = read_wav(path)
        begun = time.monotonic()
        for start in range(0, len(pcm), BLOCK_BYTES):
            due = begun + (start + BLOCK_BYTES) / (2 * SAMPLE_RATE)
            time.sleep(max(0.0, due - time.monotonic()))
            to.process.stdin.write(pcm[start : start + BLOCK_BYTES])
            to.process.stdin.flush()


@contextmanager
def open_sound(folder: Path) -> Iterator[Sound]:
    """The best that this machine has."""
    if not all(shutil.which(program) for program in PROGRAMS):
        yield Pipe()
        return
    virtual = VirtualMicrophone(folder)
    try:
        virtual.start_server()
        yield Microphone(virtual)
    finally:
        virtual.kill_server()


@contextmanager
def live_daemon(sound: Sound, placement: str, folder: Path) -> Iterator[Daemon]:
    """The daemon, ready and listening to ``sound``."""
    settings = write_settings(
        folder / f"{placement}.yaml", placement=placement, sources=[sound.source]
    )
    with daemon(settings, environment=sound.environment, stdin=sound.stdin) as running:
        yield running
