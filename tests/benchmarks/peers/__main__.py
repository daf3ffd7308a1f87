"""Language understanding against the peers: ``python -m tests.benchmarks.peers``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from tests.benchmarks.documents import share, table, write_part
from tests.benchmarks.figures import machine
from tests.benchmarks.peers.datasets import hwu64, snips
from tests.benchmarks.peers.understanding import Reading, measure


@click.command()
@click.option("--snips", "snips_folder", type=click.Path(exists=True, path_type=Path),
              help="Folder 2017-06-custom-intent-engines.")  # fmt: skip
@click.option("--hwu64", "hwu64_folder", type=click.Path(exists=True, path_type=Path),
              help="A fold: the folder that holds trainset and testset.")  # fmt: skip
@click.option("--model", "models", multiple=True, metavar="DATASET=FOLDER",
              help="A model of the project trained on a dataset: SNIPS=…, HWU64=….")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="About so many test texts.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures here.")
@click.option("--docs", is_flag=True, help="Write the table into docs/benchmarks.md.")
def main(
    snips_folder: Path | None,
    hwu64_folder: Path | None,
    models: tuple[str, ...],
    limit: int | None,
    target: Path | None,
    docs: bool,
) -> None:
    """Measure the peers that install, each in an environment of its own below .venv-peers."""
    datasets = [snips(snips_folder)] if snips_folder else []
    datasets += [hwu64(hwu64_folder)] if hwu64_folder else []
    if not datasets:
        raise click.UsageError("name data to measure on: --snips FOLDER, --hwu64 FOLDER")
    ours = {name: Path(folder) for name, _, folder in (model.partition("=") for model in models)}
    readings = []
    for reading in measure(datasets, ours, lambda t: click.echo(f"    … {t}", err=True), limit):
        readings.append(reading)
        click.echo(_line(reading))
    text = _report(readings, limit)
    if target is not None:
        target.write_text(json.dumps(msgspec.to_builtins(readings), indent=1) + "\n")
    if docs:
        write_part("peers", text)


def _line(reading: Reading) -> str:
    if reading.scores is None:
        return f"{reading.dataset}, {reading.name}: {reading.note}"
    return (
        f"{reading.dataset}, {reading.name}: intent {reading.scores.accuracy}, "
        f"macro F1 {share(reading.scores.macro_f1.value)} %, {reading.milliseconds:.2f} ms"
    )


def _report(readings: list[Reading], limit: int | None) -> str:
    rows = [
        [
            reading.dataset,
            reading.name,
            str(reading.scores.accuracy) if reading.scores else reading.note,
            share(reading.scores.macro_f1.value) if reading.scores else "–",
            "–" if reading.milliseconds is None else f"{reading.milliseconds:.2f}",
            "–" if reading.train_seconds is None else f"{reading.train_seconds:.0f}",
        ]
        for reading in readings
    ]
    heading = ["data", "system", "intent accuracy", "macro F1, %", "ms a text", "training, s"]
    part = f" Every so-manieth test text only, about {limit}." if limit else ""
    return "\n\n".join(
        [
            "### Understanding of text, against the peers",
            "Trained and tested on the published parts, lower case, in one run; 95 % intervals. "
            "hassil and padacioso match templates: with bare texts in place of templates they are "
            f"out of their element.{part} {datetime.now(UTC):%Y-%m-%d}, {machine()}.",
            table(heading, rows),
        ]
    )


if __name__ == "__main__":
    main(prog_name="python -m tests.benchmarks.peers")
