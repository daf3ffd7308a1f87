"""``intentd train-language``: train a language model from labelled texts."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from models.errors import ModelError


@click.command("train-language")
@click.argument("config", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--seed",
    type=int,
    help="In place of the configuration's; the run gets a folder of its own, OUT-seedN.",
)
def train_language(config: Path, seed: int | None) -> None:
    """Train a language model as CONFIG says, or go on with a run that was broken off.

    Tasks: distill, joint (intent and slots), classify, tag (entities), qa. Trains, exports,
    compares int8 with fp32, and writes a model folder with a card. Needs the extra `train`:
    pip install 'intentd[train]'.
    """
    try:
        from models.training.language.settings import read_settings
        from models.training.language.training import train
    except ModuleNotFoundError as error:
        raise ModelError(
            f"training needs the package {error.name}: pip install 'intentd[train]'"
        ) from None
    settings = read_settings(config)
    if seed is not None:
        out = settings.out.with_name(f"{settings.out.name}-seed{seed}")
        settings = msgspec.structs.replace(settings, seed=seed, out=out)
    folder = train(settings, config, click.echo)
    click.echo(f"{folder}: written")
