"""Options that several commands share."""

from __future__ import annotations

import click

configuration_option = click.option(
    "-c",
    "--config",
    "configuration",
    default="default",
    show_default=True,
    metavar="NAME|FILE",
    help="A shipped configuration by name, or a YAML file.",
)

endpoint_option = click.option(
    "--endpoint",
    metavar="ENDPOINT",
    help="Where the daemon publishes, if not in its own socket directory: tcp://127.0.0.1:5556.",
)

server_key_option = click.option(
    "--server-key",
    metavar="KEY|FILE",
    help="Public key of the daemon on another machine, as `intentd keys list` shows it there.",
)

key_option = click.option(
    "--key",
    metavar="NAME|FILE",
    help="Own key pair that is allowed there (`intentd keys new`), with --server-key.",
)
