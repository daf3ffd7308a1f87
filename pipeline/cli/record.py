"""``intentd record``: labelled recordings of a domain's sentences."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.recording import Recorder, Take

FLOOR_DBFS = -60.0
METER_WIDTH = 40
AGAIN, SKIP, STOP = "r", "s", "q"


@click.command()
@click.argument("domain")
@click.option(
    "--into", type=click.Path(path_type=Path), default=Path("recordings"), show_default=True,
    help="Folder for the recordings and their labels.",
)  # fmt: skip
@click.option("--count", default=20, show_default=True, type=click.IntRange(1), help="Sentences.")
@click.option("--device", help="Part of the microphone's name, from `intentd devices`.")
@click.option("--seed", default=1, show_default=True, help="Chooses the sentences.")
@click.option("--hands-free", is_flag=True, help="Go on to the next sentence without a key.")
def record(
    domain: str, into: Path, count: int, device: str | None, seed: int, hands_free: bool
) -> None:
    """Record sentences of DOMAIN (a shipped domain or a file), for `intentd evaluate`.

    Shows a sentence, records until you have finished, and writes the sound with its label beside
    it. What lies in the folder already is not asked for again.
    """
    from rich.console import Console

    from models.domain import Domain
    from pipeline.loading import find_domain
    from pipeline.recording import Collection, Recorder
    from stages.sources.microphone import MicrophoneSource

    collection = Collection(into)
    examples = collection.missing(Domain.load(find_domain(domain)), count, seed)
    source = MicrophoneSource("record", device)
    source.open()
    console = Console()
    recorded = 0
    try:
        recorder = Recorder(source)
        for number, example in enumerate(examples, 1):
            console.print(f"\n{number} of {len(examples)}:  [bold]{example.text}[/]")
            take = _take(recorder, console, hands_free=hands_free)
            if take == STOP:
                break
            if not isinstance(take, str):
                path = collection.save(example, take)
                recorded += 1
                console.print(f"  {path}  ({take.seconds:.1f} s)", markup=False, soft_wrap=True)
    finally:
        source.close()
    console.print(f"\n{recorded} recorded; next: intentd evaluate {into} -c CONFIGURATION")


def _take(recorder: Recorder, console: Console, *, hands_free: bool) -> Take | str:
    """A recording that the speaker is content with, or what was asked for instead."""
    while True:
        if not hands_free:
            answer = _ask("Enter: record   s: another sentence   q: stop")
            if answer in (SKIP, STOP):
                return answer
        take = _record(recorder, console)
        if take is None:
            console.print("  nothing was heard; check the microphone (intentd check)")
            if hands_free:
                return STOP
            continue
        if take.fault:
            console.print(f"  {take.fault}")
        if hands_free:
            return take
        answer = _ask(f"{take.seconds:.1f} s   Enter: keep   r: again   s: leave out   q: stop")
        if answer in (SKIP, STOP):
            return answer
        if answer != AGAIN:
            return take


def _ask(what: str) -> str:
    """The first letter of the answer; no more answers mean to stop."""
    click.echo(f"  {what}  ", nl=False)
    line = sys.stdin.readline()
    return line.strip().lower()[:1] if line else STOP


def _record(recorder: Recorder, console: Console) -> Take | None:
    from rich.live import Live
    from rich.text import Text

    live = Live(console=console, transient=True) if console.is_terminal else nullcontext()
    with live as shown:

        def on_level(dbfs: float) -> None:
            if shown is None:
                return
            share = min(1.0, max(0.0, 1 - dbfs / FLOOR_DBFS))
            bar = "█" * round(share * METER_WIDTH)
            style = "red" if dbfs > -6 else "green" if dbfs > -45 else "yellow"
            shown.update(
                Text.assemble("  speak  ", (f"{bar:<{METER_WIDTH}}", style), f" {dbfs:4.0f} dBFS")
            )

        return recorder.record(on_level)
