"""``intentd listen``: show events, or hand them to a program."""

from __future__ import annotations

import shlex
import subprocess

import click

from models.errors import ConfigurationError
from pipeline.cli.options import endpoint_option, key_option, server_key_option
from pipeline.cli.showing import show
from pipeline.events import Event, to_json


@click.command()
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="T",
    help="Only topics that begin so: intent/, intent/HassTurnOn/, not-recognized/, transcript/, "
    "partial/, state/, error/. May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--exec",
    "command",
    metavar="CMD",
    help="Run this program for each event, with the event's JSON on its standard input. It is "
    "split into arguments like a shell would, but no shell runs it.",
)
@click.option(
    "--since",
    type=click.IntRange(0),
    metavar="SEQ",
    help="First what followed the event of this number, out of the journal; 0: all of it.",
)
@endpoint_option
@server_key_option
@key_option
def listen(
    topics: tuple[str, ...],
    as_json: bool,
    command: str | None,
    since: int | None,
    endpoint: str | None,
    server_key: str | None,
    key: str | None,
) -> None:
    """Show the events of a running daemon, until Ctrl-C."""
    from pipeline.client import Subscriber

    arguments = _split(command)
    with Subscriber(
        *topics, endpoint=endpoint, since=since, server_key=server_key, key=key
    ) as subscriber:
        if not subscriber.wait_connected(2.0):
            click.echo(f"waiting for a daemon at {subscriber.endpoint}", err=True)
        lost = 0
        for event in subscriber:
            if subscriber.lost > lost:
                click.echo(f"{subscriber.lost - lost} events were lost here", err=True)
                lost = subscriber.lost
            if arguments:
                _execute(arguments, event)
            else:
                show(event, as_json)


def _split(command: str | None) -> list[str]:
    if command is None:
        return []
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(f"--exec: {error}; quote its arguments as in a shell") from error
    if not arguments:
        raise ConfigurationError("--exec: is empty; give a program and its arguments")
    return arguments


def _execute(arguments: list[str], event: Event) -> None:
    try:
        done = subprocess.run(arguments, input=to_json(event) + b"\n", check=False)
    except OSError as error:
        raise ConfigurationError(f"--exec: {arguments[0]}: {error.strerror}") from error
    if done.returncode:
        click.echo(f"{arguments[0]} ended with exit code {done.returncode}", err=True)
