"""The encoder with its heads: MobileBERT (Sun et al. 2020) with six layers and layer norm.

The intent head sees the state of [CLS] beside the mean of all states; the slots head sees the
state of each token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import MobileBertConfig, MobileBertModel

from models.errors import ModelError

BASE_FILE = "encoder.fp16.pt"
PREFIX = "enc."
"""Prefix of the encoder's tensors in the base."""

HEAD_DROPOUT = 0.1


class JointNetwork(nn.Module):
    """Encoder, intent head and slots head; a model without one of them gives 0 labels for it."""

    def __init__(self, encoder: nn.Module, intents: int, tags: int) -> None:
        super().__init__()
        hidden = int(encoder.config.hidden_size)
        self.encoder = encoder
        self.dropout = nn.Dropout(HEAD_DROPOUT)
        self.intent = nn.Linear(2 * hidden, intents) if intents else None
        self.slots = nn.Linear(hidden, tags) if tags else None
        self.distance: nn.Module | None = None
        """Taken from the intents' logits where it is set: see ``distance`` in this package."""

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Logits of intents [batch, intents] and of tags [batch, tokens, tags], as there are.

        Padding ids must be 0 with a zero embedding, since an embedding mixes a token with its
        two neighbours before any mask is applied.
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        outputs = []
        if self.intent is not None:
            whole = pooled(states, attention_mask)
            logits = self.intent(self.dropout(whole))
            outputs.append(logits if self.distance is None else logits - self.distance(whole))
        if self.slots is not None:
            outputs.append(self.slots(self.dropout(states)))
        return tuple(outputs)


def pooled(states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The state of [CLS] beside the mean of all, [batch, 2 × size], of [batch, tokens, size]."""
    mask = attention_mask.unsqueeze(-1).to(states.dtype)
    return torch.cat([states[:, 0], (states * mask).sum(1) / mask.sum(1)], -1)


def load_encoder(folder: Path) -> MobileBertModel:
    """The pretrained encoder of ``folder``.

    Raises ModelError, naming the file, where it is missing or holds another encoder.
    """
    path = folder / BASE_FILE
    try:
        states = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: a base is a folder with it and a tokenizer") from None
    except Exception as error:  # torch raises pickle, zip and runtime errors alike
        raise ModelError(f"{path} is not a PyTorch state dict: {error}") from error
    states = {
        name.removeprefix(PREFIX): tensor.float()
        for name, tensor in states.items()
        if name.startswith(PREFIX)
    }
    encoder = MobileBertModel(_config(path, states), add_pooling_layer=False)
    missing, unexpected = encoder.load_state_dict(states, strict=False)
    faults = [name for name in (*missing, *unexpected) if not name.endswith("position_ids")]
    if faults:
        raise ModelError(f'{path} is not the encoder expected: see "{faults[0]}"')
    return encoder


def _config(path: Path, states: Mapping[str, torch.Tensor]) -> MobileBertConfig:
    """The shape of an encoder, read off its tensors."""
    layers = {m.group(1) for name in states if (m := re.match(r"encoder\.layer\.(\d+)\.", name))}
    forward = {m.group(1) for name in states if (m := re.search(r"\.ffn\.(\d+)\.", name))}
    try:
        vocabulary, embedding = states["embeddings.word_embeddings.weight"].shape
        positions, hidden = states["embeddings.position_embeddings.weight"].shape
        feed_forward, bottleneck = states["encoder.layer.0.intermediate.dense.weight"].shape
    except KeyError as error:
        raise ModelError(f"{path} is not a MobileBERT encoder: it lacks {error}") from None
    settings: dict[str, Any] = {
        "vocab_size": vocabulary,
        "embedding_size": embedding,
        "hidden_size": hidden,
        "max_position_embeddings": positions,
        "num_hidden_layers": len(layers),
        "intermediate_size": feed_forward,
        "num_feedforward_networks": len(forward) + 1,
        "intra_bottleneck_size": bottleneck,
        "true_hidden_size": bottleneck,
        "normalization_type": "layer_norm",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "classifier_activation": False,
    }
    return MobileBertConfig(**settings)
