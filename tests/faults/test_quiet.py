"""Noise, music and silence publish no intent: minutes here, hours in ``tests/soak``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from command_line import CommandLine

from tests.soak.material import MAKERS, make

SECONDS = 20.0


@pytest.mark.parametrize("configuration", ["coffee", "home"])
def test_where_nobody_speaks_nothing_is_meant(
    intentd: CommandLine, tmp_path: Path, configuration: str
) -> None:
    for kind in MAKERS:
        soundfile.write(tmp_path / f"{kind}.wav", make(kind, SECONDS, seed=99), 16_000)
    done = intentd("replay", str(tmp_path), "-c", configuration, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    intents = [event for event in events if event["type"] == "intent"]
    print(f"{SECONDS * len(MAKERS):.0f} s of {', '.join(MAKERS)}: {len(intents)} intents")
    assert intents == []
