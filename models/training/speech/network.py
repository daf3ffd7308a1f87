"""The acoustic network: time-delay layers over log-mel frames (Waibel et al., 1989).

One output frame every 30 ms: the first layer reads 7 frames of 10 ms and moves on by 3. Each
further layer adds what it finds in three frames, ``dilation`` output frames apart, to its input.
Every part has an equivalent in Kaldi's nnet3 (see ``models.training.speech.conversion``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from models.training.speech.features import BINS, STRIDE
from models.vosk.export import PHONES

FIRST = 7
"""Frames of 10 ms that the first layer reads."""

OUTPUTS = len(PHONES) + 1
"""Blank, then one output a phone."""


class AcousticNetwork(nn.Module):
    """Log-probabilities of blank and phones."""

    def __init__(
        self,
        width: int = 320,
        dilations: Sequence[int] = (1, 1, 1, 2, 2, 3),
        dropout: float = 0.1,
        outputs: int = OUTPUTS,
    ) -> None:
        super().__init__()
        self.width, self.dilations, self.outputs = width, tuple(dilations), outputs
        self.register_buffer("mean", torch.zeros(BINS))
        self.register_buffer("deviation", torch.ones(BINS))
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.first = nn.Conv1d(BINS, width, FIRST, stride=STRIDE)
        self.first_norm = nn.BatchNorm1d(width)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, dilation=dilation) for dilation in self.dilations
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in self.dilations)
        self.output = nn.Conv1d(width, outputs, 1)
        self.dropout = dropout

    @property
    def context(self) -> int:
        """Frames of 10 ms that the network reads to each side of the one it is asked about."""
        return FIRST // 2 + STRIDE * sum(self.dilations)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Log-probabilities float32 [batch, output frames, outputs].

        ``features``: log-mel energies float32 [batch, frames, 40], with ``context`` frames more
        than are asked about at both ends.
        """
        hidden = ((features - self.mean) / self.deviation).transpose(1, 2)
        hidden = functional.relu(self.first_norm(self.first(hidden)))
        for layer, norm, dilation in zip(self.layers, self.norms, self.dilations, strict=True):
            added = functional.relu(norm(layer(hidden)))
            added = functional.dropout(added, self.dropout, self.training)
            hidden = hidden[:, :, dilation:-dilation] + added
        scores = self.output(hidden).transpose(1, 2)
        return functional.log_softmax(scores.float(), dim=-1)

    def normalise(self, features: torch.Tensor) -> None:
        """Take mean and deviation of the input from ``features`` [frames, 40]."""
        self.mean.copy_(features.mean(dim=0))
        self.deviation.copy_(features.std(dim=0).clamp_min(1e-3))
