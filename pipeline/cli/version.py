"""``intentd version``."""

from __future__ import annotations

import platform
from importlib import metadata

import click


@click.command()
def version() -> None:
    """Print the versions that a bug report needs."""
    click.echo(f"intentd {metadata.version('intentd')}")
    click.echo(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in ("vosk", "onnxruntime", "tokenizers", "pyzmq", "sounddevice"):
        click.echo(f"{package} {metadata.version(package)}")
