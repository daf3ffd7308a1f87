"""``intentd history``: events out of the journal, whether a daemon runs or not."""

from __future__ import annotations

import sys
import time

import click

from models.errors import TransportError
from pipeline.cli.options import DURATION


@click.command()
@click.option("--intent", metavar="NAME", help="Only this intent.")
@click.option("--topic", metavar="T", help="Only topics that begin so: intent/, error/.")
@click.option("--last", "seconds", type=DURATION, default="1d", show_default=True, metavar="TIME",
              help="So far back: 90s, 10m, 1h, 7d.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--journal", metavar="FILE", help="Where it is, if not in its usual place.")
def history(
    intent: str | None,
    topic: str | None,
    seconds: float,
    limit: int,
    as_json: bool,
    journal: str | None,
) -> None:
    """Show what was published, oldest first."""
    import sqlite3

    from models.paths import expand
    from pipeline.events import from_json
    from pipeline.journal import JournalReader, default_path
    from pipeline.rendering import one_line

    path = expand(journal) if journal else default_path()
    if not path.is_file():
        raise TransportError(
            f"{path}: there is no journal yet; start intentd, or name it with --journal"
        )
    prefix = f"intent/{intent}/" if intent else topic or ""
    try:
        rows = JournalReader(path).history(after=time.time() - seconds, topic=prefix, limit=limit)
        for row in rows:
            if as_json:
                sys.stdout.buffer.write(row.body + b"\n")
            elif not row.topic.startswith("partial/") or prefix:
                click.echo(one_line(from_json(row.body)))
    except sqlite3.Error as error:
        raise TransportError(f"{path}: can't be read: {error}") from error
