"""(b) From the endpoint decision to the event at a subscriber, against the bare calls."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from pipeline.events import IntentEvent, NotRecognizedEvent, StateEvent
from tests.benchmarks.figures import Figure
from tests.benchmarks.material import conversation, duration, utterances, write_wav
from tests.benchmarks.processes import daemon, run_to_end
from tests.benchmarks.settings import PLACEMENTS, write_settings

UTTERANCES, QUICK_UTTERANCES = 16, 6
BAR = 1.3
SAME_START = 0.05
"""Seconds by which the beginning of an utterance may differ between the two sides."""

STAGES = ("transcribe", "understand", "publish")

Tell = Callable[[str], None]


def measure(tell: Tell, *, quick: bool) -> Iterator[Figure]:
    """The recording is played in real time, once for each side."""
    with tempfile.TemporaryDirectory(prefix="itdb-") as name:
        folder = Path(name)
        spoken = list(utterances(QUICK_UTTERANCES if quick else UTTERANCES))
        recording = write_wav(folder / "conversation.wav", conversation(spoken))
        tell(f"{len(spoken)} utterances, {duration(recording):.0f} s in real time, three times")
        command = [sys.executable, "-m", "tests.benchmarks.bare_calls", str(recording)]
        bare = [call for call in json.loads(run_to_end(command).output) if call["text"]]
        for placement in PLACEMENTS:
            ours = _listen(recording, placement, folder)
            yield _figure(placement, ours, bare)


def _listen(recording: Path, placement: str, folder: Path) -> list[dict[str, Any]]:
    """What a subscriber received: beginning of the utterance, latency and its parts in ms."""
    source = {"type": "recording", "paths": [str(recording)], "pace": "real"}
    settings = write_settings(folder / f"{placement}.yaml", placement=placement, sources=[source])
    received = []
    with daemon(settings) as running:
        deadline = time.monotonic() + duration(recording) + 30
        while time.monotonic() < deadline:
            event = running.receive(1.0)
            arrived = time.time()
            if isinstance(event, IntentEvent | NotRecognizedEvent):
                # ``published`` is cut to whole milliseconds: half a one too much on average.
                under_way = (arrived - datetime.fromisoformat(event.published).timestamp()) * 1000
                parts = {stage: event.timings_ms[stage] for stage in STAGES}
                received.append(
                    {
                        "start": event.speech.start,
                        "text": event.text,
                        "ms": sum(parts.values()) + under_way,
                        "parts": {**parts, "under way": under_way},
                    }
                )
            elif isinstance(event, StateEvent) and event.state == "stopped":
                break
    return received


def _figure(placement: str, ours: list[dict[str, Any]], bare: list[Mapping[str, Any]]) -> Figure:
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
            f"{median(c['ms'] for _, c in pairs):.1f} ms (without waiting "
            f"{median(c['again_ms'] for _, c in pairs):.1f}, last chunk before them "
            f"{median(c['last_ms'] for _, c in pairs):.1f}); {len(pairs)} utterances"
        ),
    )
