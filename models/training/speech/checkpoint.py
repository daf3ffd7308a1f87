"""The state of a run of the acoustic network.

It holds nothing random: every draw is made from the seed and the number of the step.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from models.errors import ModelError
from models.training.checkpoint import read_state, write_state
from models.training.speech.network import AcousticNetwork


@dataclass
class Progress:
    """How far a run is."""

    epoch: int = 0
    batch: int = 0
    """Batches of the epoch that are done."""

    step: int = 0
    seconds: float = 0.0
    """Time spent in training, interruptions left out."""

    finished: bool = False


def write_checkpoint(
    path: Path,
    network: AcousticNetwork,
    optimiser: torch.optim.Optimizer | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a checkpoint atomically; raises OSError (and keeps the old one) if it can't."""
    write_state(
        path,
        {
            "width": network.width,
            "dilations": list(network.dilations),
            "weights": network.state_dict(),
            "optimiser": optimiser.state_dict() if optimiser else None,
            "progress": asdict(progress or Progress()),
        },
    )


def load_weights(path: Path, network: AcousticNetwork) -> dict[str, Any]:
    """Fill a network from a checkpoint, whose content is returned.

    Raises ModelError if the checkpoint is of another shape.
    """
    state = read_state(path)
    shape = (state["width"], tuple(state["dilations"]))
    if shape != (network.width, network.dilations):
        raise ModelError(
            f"the checkpoint {path} has width {shape[0]} and dilations {list(shape[1])}, the "
            f"configuration width {network.width} and dilations {list(network.dilations)}"
        )
    network.load_state_dict(state["weights"])
    return state


def load_network(checkpoint: Path) -> AcousticNetwork:
    """The network of a checkpoint, ready to be used. Raises ModelError."""
    state = read_state(checkpoint)
    network = AcousticNetwork(state["width"], tuple(state["dilations"]))
    network.load_state_dict(state["weights"])
    network.eval()
    return network
