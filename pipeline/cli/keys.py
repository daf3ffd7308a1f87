"""``intentd keys``: who may connect from other machines."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from pipeline.security.keys import RIGHTS, KeyFolder, Right, find_public

_dir_option = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the keys are, if not in the user's configuration folder.",
)


@click.group()
def keys() -> None:
    """Manage the keys of encrypted connections (CurveZMQ).

    The daemon has a key pair called server; every machine that connects has one of its own, whose
    public half is allowed at the daemon. A running daemon sees changes within a second.
    """


@keys.command()
@click.argument("name", default="server")
@_dir_option
def new(name: str, folder: Path | None) -> None:
    """Make a key pair and print its public half. The daemon's own is called server."""
    click.echo(KeyFolder(folder).create(name).public)


@keys.command("list")
@_dir_option
def list_keys(folder: Path | None) -> None:
    """Show the own key pairs (their public halves) and who is allowed."""
    store = KeyFolder(folder)
    for name in store.own_names():
        click.echo(f"own      {store.own(name).public}  {name}")
    for peer in store.allowed():
        click.echo(f"allowed  {peer.public}  {peer.name}  ({', '.join(peer.rights) or 'nothing'})")
    for problem in store.broken():
        click.echo(f"intentd: warning: {problem}; nobody is let in by it", err=True)


@keys.command()
@click.argument("name")
@click.argument("key", metavar="KEY|FILE")
@click.option(
    "--only",
    type=click.Choice(RIGHTS),
    help="Let it only subscribe to events, or only send audio.",
)
@_dir_option
def allow(name: str, key: str, only: str | None, folder: Path | None) -> None:
    """Let the holder of a public key in. A satellite's NAME is the source of what it hears."""
    rights = (cast(Right, only),) if only else RIGHTS
    peer = KeyFolder(folder).allow(name, find_public(key), rights)
    click.echo(f"{peer.name}: allowed ({', '.join(peer.rights)})")


@keys.command()
@click.argument("name", metavar="NAME|KEY")
@_dir_option
def revoke(name: str, folder: Path | None) -> None:
    """Let somebody in no longer. Its open connections end."""
    click.echo(f"{KeyFolder(folder).revoke(name).name}: revoked")
