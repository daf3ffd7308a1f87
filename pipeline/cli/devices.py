"""``intentd devices``: the microphones of this machine."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def devices(as_json: bool) -> None:
    """List the microphones, the default one with a star.

    Put a part of a name into the configuration: sources: [{type: microphone, device: NAME}].
    """
    import msgspec

    from stages.sources.portaudio import list_devices

    found = list_devices()
    for device in found:
        if as_json:
            sys.stdout.buffer.write(msgspec.json.encode(device) + b"\n")
            continue
        star = "*" if device.default else " "
        click.echo(
            f"{star} {device.name}  ({device.host_api}, {device.channels} channels, "
            f"{device.sample_rate:.0f} Hz)"
        )
    if not found and not as_json:
        click.echo(
            "no microphone; in a container give it the sound card: --device /dev/snd", err=True
        )
