"""``intentd evaluate``: how good it is, on labelled recordings."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.errors import INTERRUPTED
from pipeline.cli.options import configuration_option

if TYPE_CHECKING:
    from models.metrics import Cost
    from pipeline.evaluation.document import Evaluation
    from pipeline.evaluation.running import Prepared

BELOW_BAR = 1
"""Exit code when a figure misses its bar."""


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@configuration_option
@click.option("--audio", type=click.Path(path_type=Path), help="Folder of the recordings.")
@click.option("--noise", "noises", multiple=True, metavar="WAV", help="Noise to mix in.")
@click.option("--snr", "ratios", default="", metavar="6,9,12", help="At these ratios, in dB.")
@click.option("--seed", default=0, show_default=True, help="Chooses the parts of the noise.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; default: one for each core.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="DIR",
    help="Write report.html and evaluation.json there.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@click.option(
    "--fail-under", "under", multiple=True, metavar="NAME[@SNR]=VALUE",
    help="Exit code 1 when a figure is below: acceptance=0.95, slot_f1@6=0.8.",
)  # fmt: skip
@click.option(
    "--fail-over", "over", multiple=True, metavar="NAME[@SNR]=VALUE",
    help="Exit code 1 when a figure is above: wer=0.1, false_accept_rate=0.02.",
)  # fmt: skip
@click.option(
    "--false-accept-cost", default=1.0, show_default=True, type=click.FloatRange(0),
    help="What a false accept costs, where a false reject costs 1: decides the best threshold.",
)  # fmt: skip
def evaluate(
    data: Path,
    configuration: str,
    audio: Path | None,
    noises: tuple[str, ...],
    ratios: str,
    seed: int,
    jobs: int | None,
    report: Path | None,
    as_json: bool,
    under: tuple[str, ...],
    over: tuple[str, ...],
    false_accept_cost: float,
) -> None:
    """Play labelled recordings through the daemon's stages and tell how good it is.

    DATA is an NDJSON file, a folder with x.json or x.txt beside each x.wav, or labels as in
    Picovoice's benchmark; see docs/evaluation.md. An interrupted run goes on where it stopped
    when the same command is given again.
    """
    import msgspec
    from rich.console import Console

    from models.metrics import Cost
    from pipeline.evaluation.bars import missed, parse_bars
    from pipeline.evaluation.checking import check_folder, default_jobs
    from pipeline.evaluation.running import parse_ratios, prepare
    from pipeline.evaluation.summary import print_summary

    prepared = prepare(
        data, configuration, noises=noises, ratios=parse_ratios(ratios), seed=seed, audio=audio
    )
    conditions = prepared.job.conditions
    bars = [
        *parse_bars(under, conditions, under=True),
        *parse_bars(over, conditions, under=False),
    ]
    if report is not None:
        check_folder(report)
    cost = Cost(false_accept=false_accept_cost)
    evaluation = _run(prepared, jobs or default_jobs(), cost)
    if report is not None:
        from pipeline.evaluation.page import write_report

        click.echo(f"written: {write_report(evaluation, prepared.job, report)}", err=True)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(evaluation) + b"\n")
    else:
        print_summary(evaluation, Console())
    below = list(missed(evaluation, bars))
    for line in below:
        click.echo(f"missed: {line}", err=True)
    sys.exit(BELOW_BAR if below else 0)


def _run(prepared: Prepared, jobs: int, cost: Cost) -> Evaluation:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from pipeline.evaluation.outcome import Outcome
    from pipeline.evaluation.running import run

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):  # a shell starts background jobs without SIGINT
        signal.signal(number, stop)
    console = Console(stderr=True)
    wrong = done = 0
    known = len(prepared.journal().read())
    if known:
        console.print(f"going on with an earlier run: {known} of {prepared.items} are done")
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("evaluating", total=prepared.items)

        def on_done(outcome: Outcome) -> None:
            nonlocal wrong, done
            done += 1
            wrong += outcome.failed
            progress.update(task, advance=1, description=f"evaluating, {wrong} failures")

        def on_warning(text: str) -> None:
            progress.console.print(f"intentd: warning: {text}", markup=False, soft_wrap=True)

        try:
            return run(prepared, jobs=jobs, cost=cost, on_done=on_done, on_warning=on_warning)
        except KeyboardInterrupt:
            progress.stop()
            click.echo(
                f"interrupted: {done} of {prepared.items} are done, and the same command goes on "
                "from there",
                err=True,
            )
            sys.exit(INTERRUPTED)
