"""``intentd run``: the daemon."""

from __future__ import annotations

import click

from pipeline.cli.options import configuration_option


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
    import msgspec

    from pipeline.addresses import default_directory
    from pipeline.daemon import Daemon, install_signals
    from pipeline.loading import load_configuration
    from pipeline.logs import configure_logging
    from pipeline.service.notifier import Notifier

    settings = load_configuration(configuration)
    if log_level is not None:
        log = msgspec.structs.replace(settings.log, level=log_level)
        settings = msgspec.structs.replace(settings, log=log)
    configure_logging(settings.log)
    daemon = Daemon(settings, default_directory())
    install_signals(daemon)
    with Notifier(daemon):
        daemon.run()
