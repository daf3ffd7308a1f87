"""``python -m tests.soak``: a live daemon for ``--minutes``, and what becomes of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from pipeline.events import IntentEvent, NotRecognizedEvent
from tests.benchmarks.material import conversation, utterances, write_wav
from tests.benchmarks.processes import Daemon
from tests.benchmarks.settings import PLACEMENTS
from tests.benchmarks.sound import Sound, live_daemon, open_sound
from tests.soak.material import make
from tests.soak.plot import draw
from tests.soak.sampling import Sample, growth, look, write

SAMPLE_SECONDS = 10.0
MOST_GROWTH = 0.05
SETTLE_MINUTES = 10.0
SPOKEN = 6
"""Utterances in a round; then come a quarter of a minute each of silence, room, noise and music."""

OTHER_SECONDS = 15.0


def main() -> int:
    """Play, look, draw, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--placement", choices=PLACEMENTS, default="process")
    parser.add_argument("--folder", type=Path, default=Path("build/soak"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="itdb-") as name, open_sound(Path(name)) as sound:
        rounds = _write_round(Path(name))
        with live_daemon(sound, options.placement, Path(name)) as running:
            log = options.folder / "samples.ndjson"
            log.unlink(missing_ok=True)
            samples, spoken = _soak(running, sound, rounds, options.minutes * 60, log)
    draw(samples, options.folder / "soak.svg")
    return _judge(samples, spoken, options.minutes)


def _write_round(folder: Path) -> Path:
    others = [make(kind, OTHER_SECONDS) for kind in ("silence", "room", "bursts", "music")]
    spoken = conversation(list(utterances(SPOKEN)))
    return write_wav(folder / "round.wav", np.concatenate([spoken, *others]))


def _soak(
    running: Daemon, sound: Sound, recording: Path, seconds: float, log: Path
) -> tuple[list[Sample], int]:
    """The samples, and how many utterances were spoken."""
    began = time.monotonic()
    over = threading.Event()
    rounds = 0

    def play() -> None:
        nonlocal rounds
        while not over.is_set():
            sound.play(recording, running)
            rounds += 1

    player = threading.Thread(target=play, daemon=True)
    player.start()
    samples: list[Sample] = []
    due = began
    latencies: list[float] = []
    while time.monotonic() - began < seconds or player.is_alive():
        if time.monotonic() - began >= seconds:
            over.set()  # the round that is being played is played to its end
        event = running.receive(1.0)
        if isinstance(event, IntentEvent | NotRecognizedEvent):
            timings = event.timings_ms
            latencies.append(sum(v for name, v in timings.items() if name != "endpoint"))
        if time.monotonic() >= due:
            due += SAMPLE_SECONDS
            sample = look(running, began)
            sample.heard = len(latencies)
            sample.latency_ms = float(np.median(latencies)) if latencies else None
            latencies.clear()
            samples.append(sample)
            write(sample, log)
    samples[-1].heard += len(latencies)
    return samples, rounds * SPOKEN


def _judge(samples: list[Sample], spoken: int, minutes: float) -> int:
    settle = min(SETTLE_MINUTES, minutes / 3)
    grown = growth(samples, settle)
    heard = sum(sample.heard for sample in samples)
    print(f"{minutes:g} minutes: {spoken} utterances spoken, {heard} heard")
    for name in sorted(grown):
        first, last = samples[0], samples[-1]
        print(
            f"  {name:20} {first.rss.get(name, 0):6.1f} to {last.rss.get(name, 0):6.1f} MB, "
            f"{100 * grown[name]:+5.1f} % after {settle:g} minutes; "
            f"files {first.files.get(name)} to {last.files.get(name)}, "
            f"threads {first.threads.get(name)} to {last.threads.get(name)}"
        )
    if any(value > MOST_GROWTH for value in grown.values()):
        print(f"a process grew by more than {100 * MOST_GROWTH:g} %")
        return 1
    return 0 if heard >= 0.9 * spoken else 1


if __name__ == "__main__":
    sys.exit(main())
