"""A command line in a process of its own, and configurations that need no microphone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from command_line import CommandLine


@pytest.fixture
def intentd(runtime_dir: Path) -> Iterator[CommandLine]:
    """The command line; its daemons have their sockets in ``runtime_dir``."""
    line = CommandLine(runtime_dir / "intentd", dict(os.environ))
    yield line
    line.kill_all()


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Path]:
    """Writes a configuration whose source is recordings played in real time.

    ``audio`` is the recording; without one, a minute of a quiet room.
    """

    def write(audio: Path | None = None, **sections: object) -> Path:
        if audio is None:
            audio = tmp_path / "room.wav"
            noise = np.random.default_rng(1).standard_normal(60 * 16_000) * 3
            soundfile.write(audio, noise.astype("<i2"), 16_000)
        content = {
            "domain": "coffee",
            "sources": [{"type": "recording", "name": "room", "paths": [str(audio)]}],
            "transcriber": {"model": "vosk-en", "grammar": "vosk-coffee"},
            "understanders": [{"model": "mobilebert-coffee"}],
            **sections,
        }
        path = tmp_path / "configuration.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write
