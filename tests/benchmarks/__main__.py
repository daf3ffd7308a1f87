"""Runs the benchmarks; exit code 1 when a bar is missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tests.benchmarks import idle, latency, memory, throughput
from tests.benchmarks.figures import Figure, machine

LETTERS = "abcd"


def tell(text: str) -> None:
    """Progress, which is no result."""
    click.echo(f"    … {text}", err=True)


def _letters(_context: click.Context, _option: click.Parameter, value: str) -> set[str]:
    letters = set(value.replace(",", ""))
    if not letters <= set(LETTERS):
        raise click.BadParameter(f"benchmarks are {', '.join(LETTERS)}")
    return letters


@click.command()
@click.option("--only", default=LETTERS, metavar="a,b", callback=_letters, help="Run only these.")
@click.option("--quick", is_flag=True, help="Little audio: shows that it runs, measures roughly.")
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1), help="Of (a).")
@click.option("--idle-seconds", type=click.FloatRange(5), help="Length of (c) instead of 600.")
@click.option(
    "--idle-placement", type=click.Choice(["process", "thread"]), default="process",
    show_default=True, help="Placement of (c).",
)  # fmt: skip
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures here.")
def main(
    only: set[str],
    quick: bool,
    repeats: int,
    idle_seconds: float | None,
    idle_placement: str,
    target: Path | None,
) -> None:
    """Measure the daemon against the same libraries in a plain loop.

    (a) replay's wall time, (b) latency, (c) processor time in a quiet room, (d) memory.
    """
    benchmarks = {
        "a": lambda: throughput.measure(tell, quick=quick, repeats=1 if quick else repeats),
        "b": lambda: latency.measure(tell, quick=quick),
        "c": lambda: idle.measure(
            tell, quick=quick, seconds=idle_seconds, placement=idle_placement
        ),
        "d": lambda: memory.measure(tell, quick=quick),
    }
    described = machine()
    click.echo(described)
    figures: list[Figure] = []
    for letter in sorted(only):
        found: Iterator[Figure] = benchmarks[letter]()
        for figure in found:
            click.echo(figure.line())
            figures.append(figure)
    if target is not None:
        report = {"machine": described, "figures": [figure.as_json() for figure in figures]}
        target.write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(0 if all(figure.passed for figure in figures) else 1)


if __name__ == "__main__":
    main(prog_name="python -m tests.benchmarks")
