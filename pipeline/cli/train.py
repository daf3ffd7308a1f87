"""``intentd train``: from a domain file to a daemon that hears and understands it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from models.training.domain.trainer import Result
    from models.training.language.scopes import Scope

Report = Callable[[str, int, int], None]

_STEPS = {
    "sentences": "making sentences",
    "sorting": "sorting what is foreign",
    "reading": "reading sentences",
    "intents": "learning intents",
    "slots": "learning slots",
    "calibrating": "calibrating",
    "training": "fine-tuning",
    "checking": "checking",
    "grammar": "compiling the grammar",
}

BASE = "mobilebert-base"


@click.command()
@click.argument("domain")
@click.option(
    "--mode",
    type=click.Choice(["fast", "full"]),
    default="fast",
    show_default=True,
    help="New heads over the shipped encoder, in minutes; or all of it, with the extra `train`.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for what is trained; default: DOMAIN.trained beside the domain's file.",
)
@click.option("--speech-model", default="vosk-en", show_default=True, help="To compile for.")
@click.option(
    "--grammar",
    type=click.Choice(["strict", "open", "none"]),
    default="strict",
    show_default=True,
    help="Only the domain's sentences are heard; or others too, less surely; or make no grammar.",
)
@click.option(
    "--base",
    default=BASE,
    show_default=True,
    help="Encoder to start from: a model, a folder or, in full mode, a name on Hugging Face.",
)
@click.option(
    "--recordings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Recordings, each with its JSON, to test with; default: DOMAIN.recordings, if there.",
)
@click.option(
    "--export",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write the understander here, as a model to be shipped.",
)
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", type=click.IntRange(1, 16), help="Texts read at a time; default: cores.")
@click.option(
    "--sentences",
    type=click.IntRange(50, 100_000),
    help="To learn from; default: by the number of intents.",
)
@click.option("--again", is_flag=True, help="Learn anew, though nothing changed.")
def train(
    domain: str,
    mode: Literal["fast", "full"],
    out: Path | None,
    speech_model: str,
    grammar: str,
    base: str,
    recordings: Path | None,
    export: Path | None,
    seed: int,
    jobs: int | None,
    sentences: int | None,
    again: bool,
) -> None:
    """Train the understander and compile the grammar of DOMAIN, a file or a shipped name.

    What is made is used by every configuration with `domain: DOMAIN`. A run that was stopped
    goes on where it was; what did not change is not made again. At the end the examples in the
    file are tested, and recordings if there are any. Exit code 1 when one of them fails.
    """
    from models.catalogue import find
    from models.pronunciation import pronunciations_beside
    from models.training.domain.export import export_model
    from models.training.domain.recipe import content_hash
    from models.training.domain.speech import SpeechTarget
    from models.training.domain.trainer import Job
    from models.training.domain.trainer import train as run
    from pipeline.loading import find_domain
    from pipeline.trained import trained_folder
    from pipeline.trial import Trial

    path = find_domain(domain)
    speech = None
    if grammar != "none":
        speech = SpeechTarget(
            model=find(speech_model),
            pronunciations=pronunciations_beside(path),
            open=grammar == "open",
            content=content_hash(path),
        )
    job = Job(
        path=path,
        root=out or trained_folder(path),
        base=find(base if mode == "fast" else BASE),
        mode=mode,
        full_base=base,
        scope=_scope_of(path),
        speech=speech,
        seed=seed,
        jobs=jobs or min(4, os.cpu_count() or 1),
        sentences=sentences,
        again=again,
    )
    began = time.monotonic()
    try:
        with _progress() as report:
            result = run(job, report)
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        raise
    _tell(result, time.monotonic() - began)
    if export is not None:
        export_model(result.folder, export, job.base)
        click.echo(f"{export}: written")
    beside = recordings or path.with_name(f"{path.stem}.recordings")
    failures = 0
    for tested in Trial(path, result.folder, speech_model, beside).run():
        click.echo(tested.summary)
        for line in tested.failures:
            click.echo(f"  {line}")
        failures += len(tested.failures)
    sys.exit(1 if failures else 0)


def _scope_of(path: Path) -> Scope:
    """Which labels of the shipped texts belong to a domain; known for shipped domains alone."""
    from models.domain import Domain
    from models.training.language.scopes import Scope, read_scope
    from pipeline.loading import SHIPPED

    if SHIPPED.resolve() not in path.resolve().parents:
        return Scope()
    domain = Domain.load(path)
    return read_scope(domain.name, domain.intents, domain.slots)


@contextmanager
def _progress() -> Iterator[Report]:
    """A bar for each step on a terminal, a line for each elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:24}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(_STEPS.get(step, step), total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report


class _Lines:
    """Names each step when it begins."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, step: str, done: int, total: int) -> None:
        del done, total
        if step != self._last:
            self._last = step
            click.echo(f"{_STEPS.get(step, step)} …", err=True)


def _tell(result: Result, seconds: float) -> None:
    scores = result.facts.scores
    for note in result.notes:
        click.echo(note)
    click.echo("understander: unchanged" if result.reused else "understander: new")
    click.echo(
        f"  of sentences it has not seen, {100 * scores['intent']:.1f} % with the right intent, "
        f"{100 * scores['sentence']:.1f} % with every slot right too"
    )
    if "false_accepts" in scores:
        click.echo(f"  of foreign texts, {100 * scores['false_accepts']:.1f} % wrongly accepted")
    click.echo(f"{result.folder}: in use, after {seconds:.0f} s")
