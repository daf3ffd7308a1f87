"""A network to train on, out of a ``final.mdl``: so the shipped model can be adapted.

The export folds batch normalisation into the weights, so the file no longer has its statistics.
They are taken anew from some speech, and the normalisation is set to undo itself: the restored
network says what the file says, and learns as one that was never exported.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.errors import ModelError
from models.training.speech.features import STRIDE, cepstra_of_log_mel
from models.training.speech.network import FIRST, AcousticNetwork
from models.vosk.nnet3 import Affine, read_affines

_DILATION = re.compile(
    rb"name=(?:n1\.)?l(\d+)\.affine component=\S+ input=Append\(Offset\([^,]+, -(\d+)"
)


def restore(path: Path, features: torch.Tensor) -> AcousticNetwork:
    """The network of a ``final.mdl``, the first if it holds several.

    ``features`` [frames, 40] are log-mel energies of speech. Raises ModelError where the file holds
    no network of ``models.vosk.export``.
    """
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}") from None
    affines = {name.removeprefix("n1."): one for name, one in read_affines(model).items()}
    found = {int(number): int(offset) // STRIDE for number, offset in _DILATION.findall(model)}
    dilations = tuple(found[number] for number in sorted(found) if number)
    names = ["idct", "l0.affine", *(f"l{n + 1}.affine" for n in range(len(dilations)))]
    if not dilations or any(name not in affines for name in (*names, "out.affine")):
        raise ModelError(f"{path} holds no network that intentd made: train from another")
    width = len(affines["l0.affine"].bias)
    network = AcousticNetwork(width, dilations)
    network.eval()
    with torch.no_grad():
        _restore_input(network, affines["idct"])
        _restore_layer(network.output, affines["out.affine"], 1)
        hidden = ((features - network.mean) / network.deviation).T[None]
        _restore_layer(network.first, affines["l0.affine"], FIRST)
        hidden = functional.relu(_measure(network.first, network.first_norm, hidden))
        for layer, norm, name, dilation in zip(
            network.layers, network.norms, names[2:], dilations, strict=True
        ):
            _restore_layer(layer, affines[name], 3)
            added = functional.relu(_measure(layer, norm, hidden))
            hidden = hidden[:, :, dilation:-dilation] + added
    return network


def _restore_input(network: AcousticNetwork, affine: Affine) -> None:
    deviation = 1 / np.diag(affine.weights @ cepstra_of_log_mel())
    network.deviation.copy_(torch.from_numpy(deviation))
    network.mean.copy_(torch.from_numpy(-affine.bias * deviation))


def _restore_layer(layer: nn.Module, affine: Affine, frames: int) -> None:
    assert isinstance(layer, nn.Conv1d)
    assert layer.bias is not None
    kernel = np.stack(np.split(np.asarray(affine.weights), frames, axis=1), axis=2)
    layer.weight.copy_(torch.from_numpy(kernel))
    layer.bias.copy_(torch.from_numpy(np.array(affine.bias)))


def _measure(layer: nn.Module, norm: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    """What the layer gives; its normalisation is set to keep it as it is."""
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    given: torch.Tensor = layer(hidden)
    mean, variance = given.mean(dim=(0, 2)), given.var(dim=(0, 2))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.bias.copy_(mean)
    norm.weight.copy_((variance + norm.eps).sqrt())
    return given
