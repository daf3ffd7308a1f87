"""``python -m tests.soak.quiet``: false accepts an hour, where nobody says anything.

Replays generated silence, noise and music, and recordings of one's own (``--recordings``, a folder
without speech), through the whole chain, faster than real time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import SourceError
from pipeline.events import IntentEvent, NotRecognizedEvent, from_json
from stages.sources.decoding import decode
from stages.sources.paths import expand_path
from tests.benchmarks.material import write_wav
from tests.soak.material import MAKERS, make

PIECE_SECONDS = 300.0


def main() -> int:
    """Print a line for each kind of sound, for each configuration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="of each generated sound")
    parser.add_argument("--kinds", nargs="*", default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument("--recordings", nargs="*", default=[], help="folders without speech")
    parser.add_argument("--config", nargs="*", default=["coffee", "home"])
    options = parser.parse_args()
    print(
        f"{'configuration':14} {'sound':12} {'hours':>6} {'intents':>8} {'an hour':>8} {'heard':>6}"
    )
    total = 0
    with tempfile.TemporaryDirectory(prefix="itdb-") as folder:
        for name, files, hours in _material(options, Path(folder)):
            for configuration in options.config:
                counts = replay(files, configuration)
                intents = counts["intent"]
                total += intents
                print(
                    f"{configuration:14} {name:12} {hours:6.2f} {intents:8} {intents / hours:8.2f} "
                    f"{counts['not-recognized']:6}",
                    flush=True,
                )
    return 0 if total == 0 else 1


def _material(
    options: argparse.Namespace, folder: Path
) -> Iterator[tuple[str, Sequence[Path], float]]:
    for kind in options.kinds:
        count = max(1, round(options.hours * 3600 / PIECE_SECONDS))
        files = [
            write_wav(folder / f"{kind}-{n:03}.wav", make(kind, PIECE_SECONDS, seed=n))
            for n in range(count)
        ]
        yield kind, files, count * PIECE_SECONDS / 3600
        for file in files:
            file.unlink()
    for where in options.recordings:
        lengths = {Path(file): _seconds(file) for file in expand_path(where)}
        whole = [file for file, seconds in lengths.items() if seconds]
        yield Path(where).name, whole, sum(lengths.values()) / 3600


def _seconds(file: str) -> float:
    """Length of a recording; 0 for one that is damaged."""
    try:
        return sum(len(block) / 2 for block in decode(file)) / 16_000
    except SourceError as error:
        print(f"  left out: {error.message}")
        return 0.0


def replay(files: Sequence[Path], configuration: str) -> Counter[str]:
    """How many events of each kind these recordings give."""
    command = [sys.executable, "-m", "pipeline.cli", "replay", "--format", "json"]
    done = subprocess.run(
        [*command, "-c", configuration, *map(str, files)], stdout=subprocess.PIPE, check=True
    )
    counts: Counter[str] = Counter()
    for line in done.stdout.splitlines():
        event = from_json(line)
        if isinstance(event, IntentEvent):
            counts["intent"] += 1
            print(f"  heard: {event.text!r} as {event.intent.name} in {event.file}")
        elif isinstance(event, NotRecognizedEvent):
            counts["not-recognized"] += 1
    return counts


if __name__ == "__main__":
    sys.exit(main())
