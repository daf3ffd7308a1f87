"""Options that several commands share."""

from __future__ import annotations

import re

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


class _Duration(click.ParamType[float]):
    """Seconds, or a number with s, m, h or d behind it."""

    name = "time"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", value.strip())
        if match is None or float(match.group(1)) == 0:
            self.fail(f"{value!r} is no time: write 10s, 5m, 1h or 2d", param, ctx)
        return float(match.group(1)) * _UNITS[match.group(2)]


_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}

DURATION = _Duration()
