"""What the benchmark of language models says in the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.benchmarks.documents import DOCS, table, write_part
from tests.benchmarks.figures import Figure, machine
from tests.benchmarks.plots import bars

PLOT = "language-time.svg"
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Race:
    """Median milliseconds of each network, at one size."""

    batch: int
    tokens: int
    threads: int
    milliseconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a network costs beside time."""

    name: str
    file_mb: float
    resident_mb: dict[tuple[int, int], float]
    """Megabytes added to a fresh process, by batch and tokens."""


def write(races: Sequence[Race], memories: Sequence[Memory], overhead: Figure, rounds: int) -> None:
    """Put tables and a plot into ``docs/benchmarks.md``."""
    first = next(r for r in races if (r.batch, r.tokens, r.threads) == (1, 16, 1))
    ratios = {
        name: [first.milliseconds[SHIPPED] / other]
        for name, other in first.milliseconds.items()
        if name != SHIPPED
    }
    picture = bars(
        "time of the shipped model by that of others, 16 tokens, one thread",
        ["shipped / other"],
        ratios,
        full=max(value for row in ratios.values() for value in row),
        show=lambda value: f"{value:.2f}",
    )
    (DOCS / PLOT).write_text(picture, encoding="utf-8")
    write_part("language", f"{_text(races, memories, overhead, rounds)}\n\n![Times]({PLOT})")


def _text(races: Sequence[Race], memories: Sequence[Memory], overhead: Figure, rounds: int) -> str:
    parts = [
        "### Language models: size, int8, PyTorch",
        "Milliseconds and, in brackets, the time of the shipped model (six layers, int8, on "
        "onnxruntime) by the other's: below 1 the shipped one is faster. PyTorch runs the same "
        f"shape eagerly. Medians of interleaved rounds (at most {rounds}); random weights but for "
        "the shipped one; with one thread the processor's time, with two the clock's. "
        f"{overhead.what[0].upper()}{overhead.what[1:]}: {overhead.value:.2f} times "
        f"({overhead.sides}). {datetime.now(UTC):%Y-%m-%d}, {machine()}.",
    ]
    for threads in sorted({race.threads for race in races}):
        own = [race for race in races if race.threads == threads]
        heading = [
            "one thread" if threads == 1 else f"{threads} threads",
            *(f"{race.batch} × {race.tokens}" for race in own),
        ]
        rows = [[name, *(_cell(race, name) for race in own)] for name in own[0].milliseconds]
        parts.append(table(heading, rows))
    sizes = list(memories[0].resident_mb)
    heading = ["MB", "file", *(f"added to a process, {batch} × {n}" for batch, n in sizes)]
    rows = [
        [m.name, f"{m.file_mb:.1f}", *(f"{m.resident_mb[size]:.0f}" for size in sizes)]
        for m in memories
    ]
    parts += ["Columns are texts × tokens.", table(heading, rows)]
    return "\n\n".join(parts)


def _cell(race: Race, name: str) -> str:
    mine, other = race.milliseconds[SHIPPED], race.milliseconds[name]
    return f"{other:.1f}" if name == SHIPPED else f"{other:.1f} ({mine / other:.2f})"
