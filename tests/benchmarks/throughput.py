"""(a) Wall time of ``intentd replay --pace fast`` against a plain loop over the same audio."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from pipeline.loading import load_configuration
from tests.benchmarks.bare_calls import segments
from tests.benchmarks.figures import Figure, cores
from tests.benchmarks.material import Samples, duration, read_wav, write_recordings, write_wav
from tests.benchmarks.processes import INTENTD, Run, run_to_end
from tests.benchmarks.settings import NAME

SECONDS, FILES = 600.0, 40
QUICK_SECONDS, QUICK_FILES = 90.0, 6
ONE_JOB_BAR = 1.10
TWO_JOBS_BAR = 0.75

Tell = Callable[[str], None]


def measure(tell: Tell, *, quick: bool, repeats: int) -> Iterator[Figure]:
    """Each round runs all sides one after the other, so that they meet the same machine."""
    with tempfile.TemporaryDirectory(prefix="itdb-") as name:
        folder = Path(name)
        seconds, count = (QUICK_SECONDS, QUICK_FILES) if quick else (SECONDS, FILES)
        files = write_recordings(folder, seconds, count)
        pieces = _cut(files, folder)
        audio, spoken = sum(map(duration, files)), sum(map(duration, pieces))
        tell(f"{len(files)} recordings, {audio:.0f} s, of which {spoken:.0f} s are utterances")
        commands = {
            "plain": _plain(files),
            "one": _replay(files, 1),
            "two": _replay(files, 2),
            "cut": _plain(pieces),
        }
        runs: dict[str, list[Run]] = {side: [] for side in commands}
        for round_ in range(repeats):
            for side, command in commands.items():
                runs[side].append(run_to_end(command))
            walls = ", ".join(f"{side} {found[-1].wall:.1f} s" for side, found in runs.items())
            tell(f"round {round_ + 1} of {repeats}: {walls}")
        _check_same_texts(runs, tell)
    # With little audio the start of six processes is most of what is measured.
    one_bar = None if quick else ONE_JOB_BAR
    two_bar = None if quick or cores() < 2 else TWO_JOBS_BAR
    yield _figure("replay, one job", runs["one"], runs["plain"], one_bar)
    yield _figure("replay --jobs 2", runs["two"], runs["plain"], two_bar)
    yield _figure(
        "replay, one job, against a loop fed with the utterances only", runs["one"], runs["cut"]
    )


def _plain(files: Sequence[Path]) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.plain_loop", *map(str, files)]


def _replay(files: Sequence[Path], jobs: int) -> list[str]:
    options = ["-c", NAME, "--pace", "fast", "--format", "json", "--jobs", str(jobs)]
    return [*INTENTD, "replay", *options, *map(str, files)]


def _cut(files: Sequence[Path], folder: Path) -> list[Path]:
    """One file for each utterance that the segmenter finds."""
    section = load_configuration(NAME).segmenter
    pieces = []
    for file in files:
        for number, (chunks, _) in enumerate(segments(read_wav(file), section)):
            samples: Samples = np.frombuffer(b"".join(chunks), "<i2")
            pieces.append(write_wav(folder / f"{file.stem}-{number}.wav", samples))
    return pieces


def _check_same_texts(runs: dict[str, list[Run]], tell: Tell) -> None:
    """Both sides must have done the work: what replay heard is what the loop heard."""
    plain = [text for text in json.loads(runs["cut"][0].output) if text]
    for side in ("one", "two"):
        heard = [json.loads(line)["text"] for line in runs[side][0].output.splitlines()]
        same = sum(a == b for a, b in zip(sorted(plain), sorted(heard), strict=False))
        tell(f"{side}: {len(heard)} utterances, {same} of {len(plain)} with the loop's text")
        if same < 0.9 * len(plain):
            raise RuntimeError("replay and the plain loop heard different things")


def _figure(
    what: str, ours: Sequence[Run], theirs: Sequence[Run], bar: float | None = None
) -> Figure:
    ratio = median(a.wall / b.wall for a, b in zip(ours, theirs, strict=True))
    return Figure(
        benchmark="a", what=what, value=ratio, unit="x", bar=bar,
        sides=f"intentd {_side(ours)} against the loop's {_side(theirs)}, median of {len(ours)}",
    )  # fmt: skip


def _side(runs: Sequence[Run]) -> str:
    wall, cpu = median(run.wall for run in runs), median(run.cpu for run in runs)
    return f"{wall:.1f} s (CPU {cpu:.1f} s)"
