"""``intentd models``: list, verify and pull models."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict

import click
from rich.filesize import decimal

from models.catalogue import Entry, FoundModel, find, kind_of, load_catalogue, lookup, scan, verify
from models.catalogue.layout import read_card
from models.catalogue.manifest import Manifest, read_manifest
from models.errors import ModelError
from pipeline.cli.errors import BAD_INPUT, report

_COLUMNS = ("name", "kind", "language", "size", "licence", "where")


class _Row(TypedDict):
    """A model as ``models list --json`` prints it."""

    name: str
    kind: str | None
    language: str | None
    size: int | None
    licence: str | None
    description: str | None
    where: str
    path: str | None


@click.group()
def models() -> None:
    """List, verify and fetch speech and language models."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_models(as_json: bool) -> None:
    """Show every model that is installed or can be pulled.

    Sizes are those of the download where known, else those of the installed folder.
    """
    rows = _rows()
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    lines = [_COLUMNS] + [_cells(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_COLUMNS))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


@models.command("verify")
@click.argument("names", metavar="[NAME|PATH]...", nargs=-1)
def verify_models(names: tuple[str, ...]) -> None:
    """Check that models are whole; all installed ones if none is named.

    Pulled models are compared byte by byte with what was pulled. Exits with 2 if any is broken.
    """
    wanted = names or tuple(model.name for model in scan())
    if not wanted:
        click.echo("no models are installed: `intentd models pull NAME` fetches one")
    broken = False
    for name in wanted:
        try:
            kind = verify(find(name))
            click.echo(f"{name}: whole ({kind})")
        except ModelError as error:
            broken = True
            report(error)
    if broken:
        raise click.exceptions.Exit(BAD_INPUT)


@models.command("pull")
@click.argument("name")
@click.option(
    "--from",
    "source",
    metavar="DIR_OR_FILE",
    type=click.Path(path_type=Path),
    help="Install from a local folder or archive, without a network.",
)
@click.option("--force", is_flag=True, help="Replace an installed model.")
def pull_model(name: str, source: Path | None, force: bool) -> None:
    """Fetch a model of the catalogue and install it.

    What was cut off is continued. The proxy variables of the environment are honoured, and
    INTENTD_CATALOGUE may name another catalogue file.
    """
    # Only this command needs an HTTP client; every other one starts faster without.
    from models.catalogue.install import pull

    entry = lookup(name)
    with _progress_bar(entry) as progress:
        installed = pull(entry, source=source, force=force, progress=progress)
    state = "installed" if installed.fresh else "already installed"
    click.echo(f"{name}: {state} at {installed.path}")


@contextlib.contextmanager
def _progress_bar(entry: Entry) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on standard error; nothing where that isn't a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task(entry.name, total=entry.size)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _rows() -> list[_Row]:
    """Embedded and installed models first, then what is left of the catalogue."""
    catalogue = load_catalogue()
    found = scan()
    rows = [_found_row(model, catalogue.get(model.name)) for model in found]
    installed = {model.name for model in found}
    rows += [_row(entry) for name, entry in catalogue.items() if name not in installed]
    return rows


def _row(entry: Entry) -> _Row:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "language": entry.language,
        "size": entry.size,
        "licence": entry.licence,
        "description": entry.description,
        "where": "not installed",
        "path": None,
    }


def _found_row(model: FoundModel, entry: Entry | None) -> _Row:
    path = str(model.path)
    if entry is not None:
        size = entry.size or _folder_size(model.path)
        return {**_row(entry), "size": size, "where": model.place, "path": path}
    card, manifest = read_card(model.path), _manifest(model.path)

    def told(key: str) -> str | None:
        value = card.get(key) or getattr(manifest, key, None)
        return value if isinstance(value, str) else None

    return {
        "name": model.name,
        "kind": kind_of(model.path) or told("kind"),
        "language": told("language"),
        "size": _folder_size(model.path),
        "licence": told("licence"),
        "description": told("description"),
        "where": model.place,
        "path": path,
    }


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except ModelError:
        return None  # A damaged manifest is the business of `verify`, not of a list.


def _folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _cells(row: _Row) -> tuple[str, ...]:
    size = "?" if row["size"] is None else decimal(row["size"])
    where = row["where"] if row["path"] is None or row["where"] == "embedded" else row["path"]
    told = (row["kind"] or "?", row["language"] or "?", size, row["licence"] or "?")
    return (row["name"], *told, where)
