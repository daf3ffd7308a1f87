"""The mean of several networks' weights: better in noise than each of them, at the cost of one.

The networks must come from the same beginning, so that their weights mean the same (Wortsman et
al. 2022, "model soups").

``python -m models.training.speech.averaging OUT.pt RUN/checkpoint.pt …``
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import torch

from models.errors import IntentdError, ModelError
from models.training.speech.checkpoint import load_network, write_checkpoint
from models.training.speech.network import AcousticNetwork


def average(checkpoints: Sequence[Path]) -> AcousticNetwork:
    """The mean network. Raises ModelError, naming the file, where shapes differ."""
    networks = [load_network(path) for path in checkpoints]
    network = networks[0]
    for path, other in zip(checkpoints, networks, strict=True):
        if (other.width, other.dilations) != (network.width, network.dilations):
            raise ModelError(f"{path} is of another shape than {checkpoints[0]}: leave it out")
    weights = [one.state_dict() for one in networks]
    network.load_state_dict({name: _mean([one[name] for one in weights]) for name in weights[0]})
    return network


def _mean(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Of numbers; counters are taken from the first."""
    if not tensors[0].is_floating_point():
        return tensors[0]
    return torch.stack(list(tensors)).mean(0)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "checkpoints", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
def main(out: Path, checkpoints: tuple[Path, ...]) -> None:
    """Write the mean of CHECKPOINTS to OUT, a checkpoint itself."""
    try:
        write_checkpoint(out, average(checkpoints))
    except IntentdError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"{out}: the mean of {len(checkpoints)} networks")


if __name__ == "__main__":
    main()
