"""Language understanding against the peers: ``python -m tests.benchmarks.peers``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from tests.benchmarks.documents import DOCS, share, table, write_part
from tests.benchmarks.figures import machine
from tests.benchmarks.peers.datasets import hwu64, snips
from tests.benchmarks.peers.understanding import Reading, measure
from tests.benchmarks.plots import bars

PLOT = "peers.svg"


@click.command()
@click.option("--snips", "snips_folder", type=click.Path(exists=True, path_type=Path),
              help="Folder 2017-06-custom-intent-engines.")  # fmt: skip
@click.option("--hwu64", "hwu64_folder", type=click.Path(exists=True, path_type=Path),
              help="A fold: the folder that holds trainset and testset.")  # fmt: skip
@click.option("--snips-model", type=click.Path(exists=True, path_type=Path),
              help="A model of the project that was trained on SNIPS.")  # fmt: skip
@click.option("--hwu64-model", type=click.Path(exists=True, path_type=Path),
              help="One that was trained on the same fold of HWU64.")  # fmt: skip
@click.option("--budget", default=300.0, show_default=True,
              help="Seconds that a peer may read; it is judged by what it reached.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="So many test texts.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures here.")
@click.option("--docs", is_flag=True, help="Write them into docs/benchmarks.md, with a plot.")
def main(
    snips_folder: Path | None,
    hwu64_folder: Path | None,
    snips_model: Path | None,
    hwu64_model: Path | None,
    budget: float,
    limit: int | None,
    target: Path | None,
    docs: bool,
) -> None:
    """Measure the peers that install, each in an environment of its own below .venv-peers."""
    datasets = [snips(snips_folder)] if snips_folder else []
    datasets += [hwu64(hwu64_folder)] if hwu64_folder else []
    if not datasets:
        raise click.UsageError("name data to measure on: --snips FOLDER, --hwu64 FOLDER")
    models = {"SNIPS": snips_model, "HWU64": hwu64_model}
    ours = {name: folder for name, folder in models.items() if folder is not None}
    readings = []
    for reading in measure(
        datasets, ours, lambda t: click.echo(f"    … {t}", err=True), budget=budget, limit=limit
    ):
        readings.append(reading)
        click.echo(_line(reading))
    if target is not None:
        target.write_text(json.dumps(msgspec.to_builtins(readings), indent=1) + "\n")
    if docs:
        (DOCS / PLOT).write_text(_plot(readings), encoding="utf-8")
        picture = f"![Whole sentences and intents that are right]({PLOT})"
        write_part("peers", f"{_report(readings)}\n\n{picture}")


def _line(reading: Reading) -> str:
    if reading.accuracy is None:
        return f"{reading.dataset}, {reading.name}: {reading.note}"
    return (
        f"{reading.dataset}, {reading.name}: {reading.texts} texts, intent {reading.accuracy}, "
        f"slot F1 {reading.slot_f1 or '–'}, sentences {reading.sentences or '–'}, "
        f"{reading.milliseconds:.2f} ms"
    )


def _report(readings: list[Reading]) -> str:
    heading = [
        "data, system", "texts", "intent accuracy", "macro F1, %", "slot F1", "sentence accuracy",
        "ms a text", "time, of ours", "training, s",
    ]  # fmt: skip
    rows = [_row(reading, readings) for reading in readings if reading.accuracy is not None]
    lacking = {
        f"{reading.name}: {reading.note}." for reading in readings if reading.accuracy is None
    }
    return "\n\n".join(
        [
            "### Understanding of text, against the peers",
            "Trained on the published training parts, tested on the published test parts (HWU64: "
            "one fold), lower case without punctuation, in one run; 95 % intervals. A slot is "
            "right when its name and all its words are, a sentence when its intent and slots are "
            "and none is too many. Times are the processor's, one thread. hassil and padacioso "
            "match templates, which somebody writes: here they get the training texts as "
            "templates, with slots as wildcards (padacioso: with the known values, too), which is "
            "not what they are made for. Who is slow is judged by the texts that were reached in "
            "time, in a random order.",
            table(heading, rows),
            *([f"Not measured: {' '.join(sorted(lacking))}"] if lacking else []),
            f"{datetime.now(UTC):%Y-%m-%d}, {machine()}.",
        ]
    )


def _row(reading: Reading, readings: list[Reading]) -> list[str]:
    own = _ours(reading.dataset, readings)
    times = "–"
    if own is not None and own.milliseconds and reading.milliseconds is not None:
        times = f"{reading.milliseconds / own.milliseconds:.2f}"
    return [
        f"{reading.dataset}, **{reading.name}**" if reading is own else
        f"{reading.dataset}, {reading.name}",
        str(reading.texts),
        str(reading.accuracy),
        share(reading.macro_f1),
        str(reading.slot_f1 or "–"),
        str(reading.sentences or "–"),
        f"{reading.milliseconds:.2f}",
        times,
        "–" if reading.train_seconds is None else f"{reading.train_seconds:.0f}",
    ]  # fmt: skip


def _ours(dataset: str, readings: list[Reading]) -> Reading | None:
    own = (r for r in readings if r.dataset == dataset and r.name.startswith("intentd"))
    return next(own, None)


def _plot(readings: list[Reading]) -> str:
    rows = {}
    for reading in readings:
        if reading.accuracy is not None:
            sentences = reading.sentences.value if reading.sentences else None
            rows[f"{reading.dataset}, {reading.name}"] = [reading.accuracy.value, sentences]
    return bars("right, in per cent", ["intents", "whole sentences"], rows)


if __name__ == "__main__":
    main(prog_name="python -m tests.benchmarks.peers")
