"""``intentd status``: how a running daemon is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.commands import DaemonStatus, StageStatus

_COLUMNS = ("stage", "state", "age", "idle", "queue", "done", "dropped", "restarts", "models")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:
    """Show each stage: state, age, queue, restarts, drops; latency, models, subscribers.

    Exit code 1 when a stage is down.
    """
    import msgspec

    from pipeline.addresses import default_directory
    from pipeline.commands import DaemonStatus, Status, ask

    found = ask(Status(), default_directory()).status
    assert isinstance(found, DaemonStatus)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        _show(found)
    sys.exit(0 if found.state == "ready" else 1)


def _show(found: DaemonStatus) -> None:
    click.echo(
        f"{found.state} for {found.uptime:.0f} s, {found.subscribers} subscribers, "
        f"placement: {found.placement}"
    )
    rows = [_COLUMNS, *(_row(name, stage) for name, stage in found.stages.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    for name, state in found.sources.items():
        click.echo(f"{name}: {state}")
    timings = dict.fromkeys(name.rpartition(".")[0] for name in found.latency_ms)
    for timing in timings:
        values = (found.latency_ms.get(f"{timing}.p{p}", 0.0) for p in (50, 95, 99))
        texts = "  ".join(f"{value:8.1f}" for value in values)
        click.echo(f"{timing:12} ms p50, p95, p99:  {texts}")
    for name, stage in found.stages.items():
        if stage.reason:
            click.echo(f"{name}: last started again because {stage.reason}")


def _row(name: str, stage: StageStatus) -> tuple[str, ...]:
    return (
        name,
        stage.state,
        f"{stage.age:.1f} s",
        f"{stage.idle:.1f} s",
        str(stage.queue),
        str(stage.done),
        str(stage.dropped),
        str(stage.restarts),
        ", ".join(stage.models.values()),
    )
