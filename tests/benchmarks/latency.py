"""(b) From the endpoint decision to the event at a subscriber, against the bare calls.

Both sides hear the same recording in real time and at the same time, the bare one a little
later, so that they meet the same machine and never work on an endpoint at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from pipeline.events import IntentEvent, NotRecognizedEvent, StateEvent
from tests.benchmarks.figures import Figure
from tests.benchmarks.material import conversation, duration, utterances, write_wav
from tests.benchmarks.processes import Daemon, daemon
from tests.benchmarks.settings import PLACEMENTS, write_settings

UTTERANCES, QUICK_UTTERANCES = 16, 6
BAR = 1.3
SAME_START = 0.05
"""Seconds by which the beginning of an utterance may differ between the two sides."""

BEHIND = 0.6
"""Seconds by which the bare side comes later: longer than either takes for an endpoint."""

STAGES = ("transcribe", "understand", "publish")

Tell = Callable[[str], None]


def measure(tell: Tell, *, quick: bool) -> Iterator[Figure]:
    """The recording is played in real time, once for each placement."""
    with tempfile.TemporaryDirectory(prefix="itdb-") as name:
        folder = Path(name)
        spoken = list(utterances(QUICK_UTTERANCES if quick else UTTERANCES))
        recording = write_wav(folder / "conversation.wav", conversation(spoken))
        tell(f"{len(spoken)} utterances, {duration(recording):.0f} s in real time, twice")
        for placement in PLACEMENTS:
            source = {"type": "recording", "paths": [str(recording)], "pace": "real"}
            settings = write_settings(
                folder / f"{placement}.yaml", placement=placement, sources=[source]
            )
            with _bare_side(recording) as bare:
                with daemon(settings) as running:
                    _tell_begin(bare)
                    ours = list(_receive(running, duration(recording) + 30))
                calls = json.loads(bare.communicate(timeout=60)[0])
            yield _figure(placement, ours, [call for call in calls if call["text"]])


@contextmanager
def _bare_side(recording: Path) -> Iterator[subprocess.Popen[str]]:
    """The process of the bare calls, ready to begin."""
    command = [sys.executable, "-m", "tests.benchmarks.bare_calls", str(recording)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the bare side did not become ready; its messages are above")
        yield process
    finally:
        process.kill()
        process.communicate()


def _tell_begin(bare: subprocess.Popen[str]) -> None:
    assert bare.stdin is not None
    bare.stdin.write(f"{time.monotonic() + BEHIND}\n")
    bare.stdin.flush()


def _receive(running: Daemon, seconds: float) -> Iterator[dict[str, Any]]:
    """What a subscriber gets: beginning of the utterance, text, latency and its parts in ms."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        event = running.receive(1.0)
        arrived = time.time()
        if isinstance(event, IntentEvent | NotRecognizedEvent):
            # ``published`` is cut to whole milliseconds: half a one too much on average.
            under_way = (arrived - datetime.fromisoformat(event.published).timestamp()) * 1000
            parts = {stage: event.timings_ms[stage] for stage in STAGES}
            yield {
                "start": event.speech.start,
                "text": event.text,
                "ms": sum(parts.values()) + under_way,
                "parts": {**parts, "under way": under_way},
            }
        elif isinstance(event, StateEvent) and event.state == "stopped":
            return


def _figure(placement: str, ours: list[dict[str, Any]], bare: list[dict[str, Any]]) -> Figure:
    pairs = [
        (mine, call)
        for mine in ours
        for call in bare
        if abs(mine["start"] - call["start"]) <= SAME_START and mine["text"] == call["text"]
    ]
    if len(pairs) < 0.9 * len(bare):
        raise RuntimeError(f"{placement}: only {len(pairs)} of {len(bare)} utterances are the same")
    parts = {
        name: median(mine["parts"][name] for mine, _ in pairs) for name in pairs[0][0]["parts"]
    }
    told = ", ".join(f"{name} {value:.1f}" for name, value in parts.items())
    return Figure(
        benchmark="b",
        what=f"endpoint to subscriber, {placement}",
        value=median(mine["ms"] / call["ms"] for mine, call in pairs),
        unit="x",
        bar=BAR,
        sides=(
            f"intentd {median(m['ms'] for m, _ in pairs):.1f} ms ({told}; worst "
            f"{max(m['ms'] for m, _ in pairs):.1f}) against the bare calls' "
            f"{median(c['ms'] for _, c in pairs):.1f} ms (worst "
            f"{max(c['ms'] for _, c in pairs):.1f}; the last chunk before them, not counted, "
            f"{median(c['last_ms'] for _, c in pairs):.1f}); {len(pairs)} utterances"
        ),
    )
