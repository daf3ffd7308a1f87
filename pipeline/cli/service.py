"""``intentd service``: run as a systemd service of the user."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click

from models.errors import ConfigurationError
from pipeline.cli.options import configuration_option


@click.group()
def service() -> None:
    """Install, remove and show intentd as a systemd service of this user."""


@service.command()
@configuration_option
@click.option("--no-start", is_flag=True, help="Write the unit only.")
@click.option("--print", "only_print", is_flag=True, help="Print the unit instead of writing it.")
def install(configuration: str, no_start: bool, only_print: bool) -> None:
    """Write a hardened unit for a configuration, and start it now and at every login.

    The configuration is checked before. `loginctl enable-linger` starts it without a login.
    """
    from pipeline.loading import find_configuration, load_configuration
    from pipeline.service.unit import NAME, executable, unit_path, user_unit, writable_folders

    load_configuration(configuration)
    shipped = "/" not in configuration and not Path(configuration).suffix
    meant = configuration if shipped else str(find_configuration(configuration).resolve())
    text = user_unit(executable(), meant)
    if only_print:
        click.echo(text, nl=False)
        return
    path = unit_path()
    try:
        for folder in (path.parent, *writable_folders()):
            folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be written: {error.strerror}") from error
    click.echo(f"wrote {path}")
    if no_start:
        return
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", NAME)
    click.echo(f"started; its log: journalctl --user -u {NAME} -f")


@service.command()
def uninstall() -> None:
    """Stop the service and remove its unit."""
    from pipeline.service.unit import NAME, unit_path

    path = unit_path()
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no unit; nothing is installed")
    if shutil.which("systemctl"):
        _systemctl("disable", "--now", NAME)
    path.unlink()
    if shutil.which("systemctl"):
        _systemctl("daemon-reload")
    click.echo(f"removed {path}")


@service.command()
def status() -> None:
    """Show whether the service is installed and how it does; exit code 3 when it doesn't run."""
    from pipeline.service.unit import NAME, unit_path

    path = unit_path()
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no unit; install it: intentd service install")
    click.echo(f"installed: {path}")
    if not shutil.which("systemctl"):
        raise ConfigurationError("systemctl is missing: this machine is not run by systemd")
    done = subprocess.run(["systemctl", "--user", "--no-pager", "status", NAME], check=False)
    raise click.exceptions.Exit(done.returncode)


def _systemctl(*arguments: str) -> None:
    if not shutil.which("systemctl"):
        raise ConfigurationError(
            "systemctl is missing: this machine is not run by systemd; `intentd run` does without"
        )
    done = subprocess.run(
        ["systemctl", "--user", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        raise ConfigurationError(f"systemctl --user {' '.join(arguments)}: {said}")
