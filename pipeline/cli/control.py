"""``intentd mute``, ``unmute``, ``trigger``, ``reload`` and ``stop``: ask a running daemon."""

from __future__ import annotations

import time

import click

from models.errors import TransportError
from pipeline.cli.options import DURATION

RELOAD_SECONDS = 120.0
STOP_SECONDS = 30.0

source_option = click.option("--source", metavar="NAME", help="One source; all if not given.")


@click.command()
@click.option("--for", "seconds", type=DURATION, help="So long, as 10s or 5m; else until unmuted.")
@source_option
def mute(seconds: float | None, source: str | None) -> None:
    """Hear nothing, for as long as an app speaks, say."""
    from pipeline.addresses import default_directory
    from pipeline.commands import Mute, ask

    ask(Mute(seconds=seconds, source=source), default_directory())


@click.command()
@source_option
def unmute(source: str | None) -> None:
    """Hear again."""
    from pipeline.addresses import default_directory
    from pipeline.commands import Unmute, ask

    ask(Unmute(source=source), default_directory())


@click.command()
@click.option("--for", "seconds", type=DURATION, default="8s", show_default=True, help="So long.")
@source_option
def trigger(seconds: float, source: str | None) -> None:
    """With activation: push-to-talk, listen now."""
    from pipeline.addresses import default_directory
    from pipeline.commands import Trigger, ask

    ask(Trigger(seconds=seconds, source=source), default_directory())


@click.command()
def reload() -> None:
    """Take over the changed configuration and domain, without losing audio.

    If anything is wrong with them, it says what, and the daemon goes on as before.
    """
    from pipeline.addresses import default_directory
    from pipeline.commands import Reload, ask

    reply = ask(Reload(), default_directory(), RELOAD_SECONDS)
    restarted = reply.restarted if isinstance(reply.restarted, list) else []
    click.echo(f"changed: {', '.join(restarted)}" if restarted else "no stage changed")


@click.command()
def stop() -> None:
    """End the daemon, after what is being said is published."""
    from pipeline.addresses import Addresses, default_directory
    from pipeline.commands import StopDaemon, ask
    from pipeline.transport import is_alive

    directory = default_directory()
    ask(StopDaemon(), directory)
    deadline = time.monotonic() + STOP_SECONDS
    while is_alive(Addresses(directory, threads=False).control):
        if time.monotonic() > deadline:
            raise TransportError(f"stop: intentd in {directory} does not end", code="no-answer")
        time.sleep(0.05)
