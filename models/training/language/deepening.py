"""A deeper encoder out of a shallow one, which says at first nearly what the shallow one said.

Every layer is followed by copies of itself whose outputs are silent and whose last norm lets pass
what comes in, so that training begins where the shallow encoder ended (progressive knowledge
transfer in MobileBERT, Sun et al. 2020; growing by layers, Gong et al. 2019).
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from models.errors import ModelError


def deepen(encoder: Any, times: int) -> nn.Module:
    """A MobileBERT of ``times`` as many layers. Raises ModelError for another kind of encoder."""
    config = encoder.config
    if config.model_type != "mobilebert" or not config.use_bottleneck:
        raise ModelError(f"only a MobileBERT with bottlenecks can be deepened: {config.model_type}")
    deeper = copy.deepcopy(encoder)
    layers = []
    for layer in deeper.encoder.layer:
        layers.append(layer)
        layers += [_passing(layer) for _ in range(times - 1)]
    deeper.encoder.layer = nn.ModuleList(layers)
    deeper.config.num_hidden_layers = len(layers)
    return deeper  # type: ignore[no-any-return]


def _passing(layer: Any) -> Any:
    """A copy of a layer behind which it changes next to nothing."""
    found = copy.deepcopy(layer)
    out, before = found.output.bottleneck, layer.output.bottleneck.LayerNorm
    with torch.no_grad():
        out.dense.weight.zero_()
        out.dense.bias.zero_()
        norm = out.LayerNorm
        if isinstance(norm, nn.LayerNorm):
            # States come out of the norm before: of its shift and scale are their mean and
            # deviation over the dimensions.
            norm.bias.fill_(before.bias.mean())
            norm.weight.fill_((before.weight.square().mean() + before.bias.var()).sqrt())
        else:
            norm.bias.zero_()
            norm.weight.fill_(1.0)
    return found
