"""``intentd satellite``: this machine's microphone for a daemon on another one."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from models.errors import ConfigurationError
from pipeline.cli.options import key_option, server_key_option
from pipeline.cli.showing import show

if TYPE_CHECKING:
    from stages.sources.base import Source


@click.command()
@click.option("--hub", required=True, metavar="ENDPOINT", help="Where it listens: tcp://HOST:5560.")
@server_key_option
@key_option
@click.option("--name", help="Name of this satellite, where the hub asks for no keys.")
@click.option("--device", metavar="NAME", help="Part of the microphone's name; see devices.")
@click.option(
    "--recording",
    "recordings",
    multiple=True,
    metavar="PATH",
    help="Send recordings instead of a microphone. May be given several times.",
)
@click.option("--pace", type=click.Choice(["fast", "real"]), default="real", show_default=True)
@click.option(
    "--codec",
    type=click.Choice(["auto", "opus", "pcm"]),
    default="auto",
    show_default=True,
    help="Opus needs a tenth of the bandwidth and intentd[opus] on both sides.",
)
@click.option(
    "--buffer",
    type=click.FloatRange(1, 3600),
    default=120.0,
    show_default=True,
    help="Seconds of audio to keep while the hub can't be reached.",
)
@click.option("--no-events", is_flag=True, help="Don't show the hub's events.")
@click.option("--json", "as_json", is_flag=True, help="Events as one JSON object a line.")
def satellite(
    hub: str,
    server_key: str | None,
    key: str | None,
    name: str | None,
    device: str | None,
    recordings: tuple[str, ...],
    pace: Literal["fast", "real"],
    codec: Literal["auto", "opus", "pcm"],
    buffer: float,
    no_events: bool,
    as_json: bool,
) -> None:
    """Send a microphone's audio to a hub, and show what it hears and understands.

    The hub has `sources: [{type: satellite, endpoint: …}]`. What it has not published yet is kept
    here and sent again after a cut or its restart. Exit code 1 when something was lost.
    """
    from pipeline.configuration import LogSection
    from pipeline.logs import configure_logging
    from pipeline.satellites.codec import opus_is_there
    from pipeline.satellites.link import Link
    from pipeline.satellites.satellite import Satellite, host_name
    from pipeline.security.credentials import Credentials
    from pipeline.security.door import is_loopback

    configure_logging(LogSection(level="error"))
    credentials = Credentials.find(server_key, key)
    if credentials is None and not is_loopback(hub):
        raise ConfigurationError(
            f"--hub: {hub} is another machine, and nobody's voice travels in the clear; "
            "give --server-key and --key"
        )
    chosen: Literal["opus", "pcm"] = (
        ("opus" if opus_is_there() else "pcm") if codec == "auto" else codec
    )
    known = name or (Path(key).stem if key else host_name(socket.gethostname()))
    link = Link(hub, known, credentials, codec=chosen, seconds=buffer)
    runner = Satellite(
        _source(device, recordings, pace),
        link,
        credentials=credentials,
        show=None if no_events else lambda event: show(event, as_json),
        tell=lambda text: click.echo(text, err=True),
    )
    signal.signal(signal.SIGINT, lambda *_: runner.stop())
    signal.signal(signal.SIGTERM, lambda *_: runner.stop())
    whole = runner.run()
    if not whole or link.ring.lost:
        click.echo(
            f"{link.ring.lost / 16_000:.1f} s of audio were lost"
            f"{'' if whole else ', and the hub has not published the last of it'}",
            err=True,
        )
        sys.exit(1)


def _source(
    device: str | None, recordings: tuple[str, ...], pace: Literal["fast", "real"]
) -> Source:
    if recordings:
        from stages.sources.recording import RecordingSource

        return RecordingSource("satellite", recordings, pace=pace)
    from stages.sources.microphone import MicrophoneSource

    return MicrophoneSource("satellite", device, wait_for_device=True)
