"""``intentd run``: the daemon."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import configuration_option

if TYPE_CHECKING:
    from pipeline.configuration import Configuration


@click.command()
@configuration_option
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Instead of the configuration's log.level.",
)
def run(configuration: str, log_level: str | None) -> None:
    """Listen, understand and publish until stopped.

    SIGINT (Ctrl-C) and SIGTERM finish what was being said and then end it. Exit code 0 after a
    stop, 2 when something of the configuration, the models or the devices is wrong.
    """
    from pipeline.addresses import default_directory
    from pipeline.daemon import Daemon
    from pipeline.loading import load_configuration
    from pipeline.logs import configure_logging
    from pipeline.service.notifier import Notifier

    settings = load_configuration(configuration)
    if log_level is not None:
        settings = _with_level(settings, log_level)
    configure_logging(settings.log)

    def load() -> Configuration:
        changed = load_configuration(configuration)
        return changed if log_level is None else _with_level(changed, log_level)

    daemon = Daemon(settings, default_directory(), load=load)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: daemon.stop())
    with Notifier(daemon):
        daemon.run()


def _with_level(settings: Configuration, level: Any) -> Configuration:
    import msgspec

    log = msgspec.structs.replace(settings.log, level=level)
    return msgspec.structs.replace(settings, log=log)
