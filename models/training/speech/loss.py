"""CTC in which a label takes exactly one frame.

Connectionist temporal classification (Graves et al., 2006) without the repetition of labels: each
label stands in one frame of 30 ms and all other frames are blank. It is what the graph of the
speech model allows (``models.vosk.phones``), so training and decoding have one topology.
"""

from __future__ import annotations

import torch

_NEVER = -1e30
"""Logarithm of no probability; finite, because gradients of -inf are not."""


def selfless_ctc(
    scores: torch.Tensor, labels: torch.Tensor, frames: torch.Tensor, counts: torch.Tensor
) -> torch.Tensor:
    """Negative log-probability of each label sequence [batch].

    ``scores`` log-probabilities [batch, time, outputs] with blank at 0; ``labels`` int64 [batch,
    longest], padded with anything; ``frames`` and ``counts`` [batch]: lengths of both. Where there
    are fewer frames than labels the result is above 1e29.
    """
    batch, time, _ = scores.shape
    longest = labels.shape[1]
    blank = scores[:, :, :1]
    emitted = scores.gather(2, labels.unsqueeze(1).expand(batch, time, longest))
    never = scores.new_full((batch, 1), _NEVER)
    # paths[:, n]: all ways to have said n labels so far.
    paths = torch.cat([scores.new_zeros(batch, 1), scores.new_full((batch, longest), _NEVER)], 1)
    inside = torch.arange(time, device=scores.device).unsqueeze(0) < frames.unsqueeze(1)
    for step in range(time):
        said = torch.cat([never, paths[:, :-1] + emitted[:, step]], 1)
        following = torch.logaddexp(paths + blank[:, step], said)
        paths = torch.where(inside[:, step : step + 1], following, paths)
    return -paths.gather(1, counts.unsqueeze(1)).squeeze(1)
