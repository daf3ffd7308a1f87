"""Encoders to train: the shipped base, one from scratch, or anybody's of the BERT family."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    MobileBertConfig,
    MobileBertModel,
)

from models.catalogue import find
from models.errors import ModelError
from models.mobilebert.tokens import TOKENIZER_FILE
from models.paths import expand
from models.training.language.network import BASE_FILE, load_encoder
from models.training.language.settings import Shape

GOOGLE = Shape(layers=24, normalisation="no_norm", positions=512)
"""MobileBERT as published: 25.3 million parameters (Sun et al. 2020, table 1)."""

_NEEDED = {"tokenizer.json", "vocab.txt"}


def new_encoder(shape: Shape, vocabulary: int) -> nn.Module:
    """An encoder with random weights."""
    config = MobileBertConfig(
        vocab_size=vocabulary,
        embedding_size=shape.embedding,
        hidden_size=shape.hidden,
        intra_bottleneck_size=shape.bottleneck,
        true_hidden_size=shape.bottleneck,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_feedforward_networks=shape.feed_forwards,
        num_attention_heads=shape.heads,
        normalization_type=shape.normalisation,
        max_position_embeddings=shape.positions,
        classifier_activation=False,
    )
    return _ready(MobileBertModel(config, add_pooling_layer=False))


def base_encoder(base: str, tokenizer_to: Path) -> nn.Module:
    """The encoder that ``base`` names; its tokenizer is written to the file ``tokenizer_to``.

    ``base`` is a model that intentd knows, a folder of a base or of a Hugging Face model, or the
    name of one, which is fetched unless it is there already. Raises ModelError.
    """
    folder = find_base(base)
    if folder is not None and (folder / BASE_FILE).exists():
        _copy_tokenizer(folder / TOKENIZER_FILE, tokenizer_to)
        return _ready(load_encoder(folder))
    source = str(folder or base)
    try:
        with _offline(folder is not None):
            config = AutoConfig.from_pretrained(source)
            encoder = AutoModel.from_pretrained(source, config=config)
            tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        text = " ".join(str(error).split())[:200]
        raise ModelError(f"{base} is no encoder that can be loaded: {text}") from None
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{base} has no fast tokenizer: add its tokenizer.json")
    backend.no_padding()
    backend.no_truncation()
    tokenizer_to.write_text(backend.to_str(), encoding="utf-8")
    if hasattr(encoder, "pooler"):
        encoder.pooler = None
    return _ready(encoder)


def answer_head(base: str, hidden: int) -> nn.Linear | None:
    """The head of a Hugging Face model that answers questions already; None for another base."""
    folder = find_base(base) if base != "scratch" else None
    if base == "scratch" or (folder is not None and not (folder / "config.json").exists()):
        return None
    source = str(folder or base)
    with _offline(folder is not None):
        names = AutoConfig.from_pretrained(source).architectures or []
        if not any(name.endswith("ForQuestionAnswering") for name in names):
            return None
        head = AutoModelForQuestionAnswering.from_pretrained(source).qa_outputs
    return head if head.in_features == hidden and head.out_features == 2 else None


def count_parameters(network: nn.Module) -> int:
    """Number of weights."""
    return sum(parameter.numel() for parameter in network.parameters())


def set_dropout(network: nn.Module, share: float) -> None:
    """Give every dropout of a network the same share."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def copy_tokenizer_of(folder: Path, target: Path) -> None:
    """Copy the tokenizer of a model folder. Raises ModelError where it has none."""
    _copy_tokenizer(folder / TOKENIZER_FILE, target)


def model_folder(name: str) -> Path:
    """The folder that a name or path means. Raises ModelError."""
    return find(name)


def find_base(base: str) -> Path | None:
    """The folder that ``base`` means, or None for a name on Hugging Face. Raises ModelError."""
    path = expand(base)
    if path.is_dir():
        return path
    try:
        return find(base)
    except ModelError:
        if base.startswith((".", "/", "~")):
            raise ModelError(f"base {base}: there is no such folder") from None
        return None


def _copy_tokenizer(source: Path, target: Path) -> None:
    try:
        target.write_bytes(source.read_bytes())
    except OSError as error:
        raise ModelError(f"{source} cannot be copied: {error.strerror}") from None


def _ready(encoder: Any) -> nn.Module:
    """Give padding no embedding: a MobileBERT token sees its neighbours before any mask."""
    if encoder.config.model_type == "mobilebert":
        with torch.no_grad():
            encoder.embeddings.word_embeddings.weight[0].zero_()
    return encoder  # type: ignore[no-any-return]


@contextlib.contextmanager
def _offline(local: bool) -> Iterator[None]:
    """Keep Hugging Face's libraries from asking the network about a folder."""
    before = os.environ.get("HF_HUB_OFFLINE")
    if local:
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if local:
            if before is None:
                os.environ.pop("HF_HUB_OFFLINE", None)
            else:
                os.environ["HF_HUB_OFFLINE"] = before
