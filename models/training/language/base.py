"""A base without a task: what distillation makes, as PyTorch tensors and as ONNX.

``encoder.fp16.pt`` holds the encoder's tensors under ``enc.`` and, under ``vector.``, the linear
map from the mean of the states to the sentence vector.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from models.mobilebert.labels import EmbeddingHead, Labels, StatesHead
from models.mobilebert.tokens import TOKENIZER_FILE
from models.training.language.export import quantise, write_onnx
from models.training.language.labelling import MODEL_FILE, write_labels
from models.training.language.network import BASE_FILE, PREFIX

VECTOR = "vector."
"""Prefix of the tensors that make the sentence vector."""

STATES_OUTPUT = "states"
VECTOR_OUTPUT = "embedding"


class BaseNetwork(nn.Module):
    """Encoder and sentence vector."""

    def __init__(self, encoder: nn.Module, vector: nn.Linear) -> None:
        super().__init__()
        self.encoder = encoder
        self.vector = vector

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """States [batch, tokens, size] and vectors of length 1 [batch, vector size]."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1)
        return states * mask, functional.normalize(self.vector(mean), dim=-1)


def save_base(network: BaseNetwork, folder: Path, tokenizer: Path) -> None:
    """Write the base as half-precision tensors with its tokenizer, for further training."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {PREFIX + name: t.half() for name, t in network.encoder.state_dict().items()}
    tensors |= {VECTOR + name: t.half() for name, t in network.vector.state_dict().items()}
    torch.save(tensors, folder / BASE_FILE)
    shutil.copyfile(tokenizer, folder / TOKENIZER_FILE)


def base_tensors(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a base in fp32, by name; none where the folder is no base."""
    path = folder / BASE_FILE
    if not path.exists():
        return {}
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.float() for name, tensor in tensors.items()}


def export_base(
    network: BaseNetwork, folder: Path, tokenizer: Path, *, name: str, version: str, tokens: int
) -> None:
    """Write the base as a model folder with an int8 network."""
    folder.mkdir(parents=True, exist_ok=True)
    size, vector = network.encoder.config.hidden_size, network.vector.out_features
    full = folder / "full.onnx"
    write_onnx(network, full, {STATES_OUTPUT: True, VECTOR_OUTPUT: False})
    quantise(full, folder / MODEL_FILE)
    full.unlink()
    shutil.copyfile(tokenizer, folder / TOKENIZER_FILE)
    labels = Labels(
        format=1,
        name=name,
        version=version,
        language="en",
        max_tokens=tokens,
        heads=(
            StatesHead(output=STATES_OUTPUT, size=size),
            EmbeddingHead(output=VECTOR_OUTPUT, size=vector),
        ),
    )
    write_labels(folder, labels)
