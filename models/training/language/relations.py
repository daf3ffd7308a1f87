"""How tokens attend to each other: relations of queries, keys and values, learned from a teacher.

MobileBERT's attention transfer (Sun et al. 2020) wants a student with as many heads as its teacher.
The relations of all queries with each other, of all keys and of all values, cut into any number of
parts that divides both widths, say the same and more (MiniLMv2, Wang et al. 2021).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from models.errors import ModelError

PARTS = 16
"""Parts that the widths are cut into: more of them than heads is better (Wang et al. 2021)."""

KINDS = 3
"""Queries, keys and values."""

_NAMES = (("query", "key", "value"), ("q_lin", "k_lin", "v_lin"))
_FAR = -1e4


class Projections:
    """Keeps the queries, keys and values of an encoder's last layer whenever it runs."""

    def __init__(self, encoder: nn.Module) -> None:
        """Raises ModelError for an encoder whose attention is not of the BERT family."""
        layers = _last_attention(encoder)
        self.width = int(layers[0].out_features)
        if self.width % PARTS or any(layer.out_features != self.width for layer in layers):
            raise ModelError(
                f"attention {self.width} wide can't be cut into {PARTS} parts: leave out attention"
            )
        self._found: dict[int, torch.Tensor] = {}
        for kind, layer in enumerate(layers):
            layer.register_forward_hook(self._keeper(kind))

    def take(self) -> torch.Tensor:
        """Those of the last run [batch, tokens, 3 x width]."""
        return torch.cat([self._found.pop(kind) for kind in range(KINDS)], -1)

    def _keeper(self, kind: int) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def keep(_: nn.Module, __: object, output: torch.Tensor) -> None:
            self._found[kind] = output

        return keep


def relation_loss(mine: torch.Tensor, theirs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Divergence of relations, the mean over tokens, parts and kinds.

    ``mine`` [batch, tokens, 3 x width] and ``theirs`` of any width of its own; ``mask`` [batch,
    tokens] is 1 where a token is.
    """
    far = (1 - mask[:, None, None, None, :].float()) * _FAR
    wanted, found = (functional.log_softmax(_scores(x) + far, -1) for x in (theirs, mine))
    each = functional.kl_div(found, wanted, reduction="none", log_target=True).sum(-1)
    rows = mask[:, None, None, :].float()
    return (each * rows).sum() / (rows.sum() * KINDS * PARTS)


def _scores(states: torch.Tensor) -> torch.Tensor:
    """Scaled products of all pairs of tokens [batch, kinds, parts, tokens, tokens]."""
    batch, tokens, width = states.shape
    size = width // (KINDS * PARTS)
    parts = states.float().view(batch, tokens, KINDS, PARTS, size).permute(0, 2, 3, 1, 4)
    return parts @ parts.transpose(-1, -2) / size**0.5


def _last_attention(encoder: nn.Module) -> list[nn.Linear]:
    """The three projections of the last layer."""
    modules = dict(encoder.named_modules())
    for names in _NAMES:
        last = [path for path in modules if path.rpartition(".")[2] == names[0]]
        if last:
            folder = last[-1].rpartition(".")[0]
            found = [modules.get(f"{folder}.{name}") for name in names]
            layers = [layer for layer in found if isinstance(layer, nn.Linear)]
            if len(layers) == KINDS:
                return layers
    raise ModelError(
        f"{type(encoder).__name__} has no attention of the BERT family: leave out attention"
    )
