"""``intentd train-speech``: train an acoustic model from manifests."""

from __future__ import annotations

from pathlib import Path

import click

from models.errors import ModelError


@click.command("train-speech")
@click.argument("config", type=click.Path(dir_okay=False, path_type=Path))
def train_speech(config: Path) -> None:
    """Train an acoustic model as CONFIG says, or go on with a run that was broken off.

    Makes features, trains, and writes checkpoint, log, plot and final.mdl into the folder that
    CONFIG names. Needs the extra `train`: pip install 'intentd[train]'.
    """
    try:
        from models.training.speech.settings import read_settings
        from models.training.speech.training import train
    except ModuleNotFoundError as error:
        raise ModelError(
            f"training needs the package {error.name}: pip install 'intentd[train]'"
        ) from None
    target = train(read_settings(config), click.echo)
    click.echo(f"{target}: written; put it into the folder am of a speech model")
