"""Checkpoints as a ``final.mdl``: one network, or several whose scores are averaged.

Several networks of different shapes or beginnings hear better than each of them and take as long
as all of them; networks of one beginning are better averaged (``averaging``).

``python -m models.training.speech.exporting OUT.mdl CHECKPOINT.pt … --blank-bonus 1.5``
"""

from __future__ import annotations

from pathlib import Path

import click

from models.errors import IntentdError
from models.training.speech.checkpoint import load_network
from models.training.speech.conversion import export


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "checkpoints", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--blank-bonus", default=0.0, show_default=True, help="Taken from each blank.")
def main(out: Path, checkpoints: tuple[Path, ...], blank_bonus: float) -> None:
    """Write the networks of CHECKPOINTS to OUT, in Kaldi's format."""
    try:
        model = export([load_network(path) for path in checkpoints], blank_bonus)
        out.write_bytes(model)
    except IntentdError as error:
        raise click.ClickException(error.message) from error
    except OSError as error:
        raise click.ClickException(f"{out} can't be written: {error.strerror}") from error
    click.echo(f"{out}: {len(checkpoints)} networks, {len(model)} bytes")


if __name__ == "__main__":
    main()
