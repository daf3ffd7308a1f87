"""The network as ``models.vosk.export`` writes it: batch normalisation folded, MFCC as input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from models.training.speech.features import cepstra_of_log_mel
from models.training.speech.network import AcousticNetwork
from models.vosk.export import Acoustics, export_acoustics
from models.vosk.nnet3 import Affine, Matrix


def export(networks: Sequence[AcousticNetwork], blank_bonus: float) -> bytes:
    """The bytes of a ``final.mdl`` with the garbage output, of the mean of several networks'
    scores if there are several. Raises ModelError."""
    return export_acoustics([acoustics_of(network) for network in networks], blank_bonus)


def acoustics_of(network: AcousticNetwork) -> Acoustics:
    """The network's layers in double precision.

    The input layer inverts the MFCC's transform, then normalises: Kaldi's features are MFCC, the
    network's are log-mel energies.
    """
    deviation = _array(network.deviation)
    invert = np.linalg.inv(cepstra_of_log_mel())
    layers = [
        (_fold(layer, norm), dilation)
        for layer, norm, dilation in zip(
            network.layers, network.norms, network.dilations, strict=True
        )
    ]
    return Acoustics(
        input=Affine(invert / deviation[:, None], -_array(network.mean) / deviation),
        first=_fold(network.first, network.first_norm),
        layers=layers,
        output=Affine(_array(network.output.weight)[:, :, 0], _array(network.output.bias)),
    )


def _fold(layer: nn.Module, norm: nn.Module) -> Affine:
    """A convolution and the normalisation behind it as one affine over appended frames."""
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + float(norm.eps))
    kernel = _array(layer.weight) * scale[:, None, None]
    bias = (_array(layer.bias) - _array(norm.running_mean)) * scale + _array(norm.bias)
    frames = [kernel[:, :, frame] for frame in range(kernel.shape[2])]
    return Affine(np.concatenate(frames, axis=1), bias)


def _array(tensor: object) -> Matrix:
    assert isinstance(tensor, torch.Tensor)
    return np.asarray(tensor.detach().cpu().double().numpy())
