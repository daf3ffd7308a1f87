"""Events on standard output, for people or for programs."""

from __future__ import annotations

import sys

import click

from pipeline.events import Event, to_json


def show(event: Event, as_json: bool) -> None:
    """Print one event: a line of JSON, or one for people."""
    from pipeline.rendering import one_line

    if as_json:
        sys.stdout.buffer.write(to_json(event) + b"\n")
        sys.stdout.buffer.flush()
    else:
        click.echo(one_line(event))
