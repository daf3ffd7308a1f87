"""The state of a run on disk, whole at any moment.

A checkpoint is written beside the old one and takes its place by renaming, so that a run that is
killed while it writes goes on from the old one. It holds nothing random: every draw is made from
the seed and the number of the step.
"""

from __future__ import annotations

import io
import os
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch

from models.errors import ModelError
from models.training.speech.network import AcousticNetwork

FORMAT = 1


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
    buffer = io.BytesIO()
    torch.save(
        {
            "format": FORMAT,
            "width": network.width,
            "dilations": list(network.dilations),
            "weights": network.state_dict(),
            "optimiser": optimiser.state_dict() if optimiser else None,
            "progress": asdict(progress or Progress()),
        },
        buffer,
    )
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What ``write_checkpoint`` wrote. Raises ModelError."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"the checkpoint {path} can't be read: {error.strerror}") from None
    except (RuntimeError, pickle.UnpicklingError, BadZipFile, EOFError, ValueError):
        raise ModelError(f"{path} is not a checkpoint, or damaged: delete it") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ModelError(f"{path} is not a checkpoint of this version of the training")
    return state


def load_weights(path: Path, network: AcousticNetwork) -> dict[str, Any]:
    """Fill a network from a checkpoint, whose content is returned.

    Raises ModelError if the checkpoint is of another shape.
    """
    state = read_checkpoint(path)
    shape = (state["width"], tuple(state["dilations"]))
    if shape != (network.width, network.dilations):
        raise ModelError(
            f"the checkpoint {path} has width {shape[0]} and dilations {list(shape[1])}, the "
            f"configuration width {network.width} and dilations {list(network.dilations)}"
        )
    network.load_state_dict(state["weights"])
    return state


def load_network(path: Path) -> AcousticNetwork:
    """The network of a checkpoint, ready to be asked. Raises ModelError."""
    state = read_checkpoint(path)
    network = AcousticNetwork(state["width"], state["dilations"])
    network.load_state_dict(state["weights"])
    network.eval()
    return network
