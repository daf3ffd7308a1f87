"""A larger network that begins with what a smaller one has learnt.

New channels and new layers are added so that the larger network says at first about what the
smaller one said (after Chen et al. 2016, "Net2Net"): what is new reads the old, but the old doesn't
read what is new, and a new layer adds little.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from models.errors import ModelError
from models.training.speech.network import AcousticNetwork

NEW_LAYER = 0.1
"""Deviation of what a new layer adds: with 0 it would never learn."""


def grow(weights: Mapping[str, torch.Tensor], network: AcousticNetwork) -> None:
    """Fill ``network`` with the weights of one that is at most as wide and as deep.

    The layers of the smaller one become the first ones; their dilations must be the same. Raises
    ModelError for one that is larger anywhere.
    """
    state = network.state_dict()
    missing = sorted(weights.keys() - state.keys())
    if missing:
        raise ModelError(f"the first network has more layers: {missing[0]} has no place")
    for name, old in weights.items():
        if any(has > room for has, room in zip(old.shape, state[name].shape, strict=True)):
            raise ModelError(f"the first network is wider: {name} has no room")
        _place(old, state[name])
    for number in range(len(network.norms)):
        if f"norms.{number}.weight" not in weights:
            state[f"norms.{number}.weight"].fill_(NEW_LAYER)
    network.load_state_dict(state)


def _place(old: torch.Tensor, room: torch.Tensor) -> None:
    """Put ``old`` into the first rows and columns; these read nothing of the columns behind."""
    if old.dim() == 0:
        room.copy_(old)
        return
    rows = slice(0, old.shape[0])
    if old.dim() > 1:
        room[rows] = 0
        room[rows, : old.shape[1]] = old
    else:
        room[rows] = old
