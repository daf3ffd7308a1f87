"""Attention learned from a teacher, and encoders that grow deeper."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from language_material import joint_rows, small_shape, small_teacher, write_config

from models.errors import ModelError
from models.mobilebert import Encoder
from models.training.language.deepening import deepen
from models.training.language.network import load_encoder
from models.training.language.relations import Projections, relation_loss
from models.training.language.settings import read_settings
from models.training.language.training import train


def encoder(**others: int | str) -> transformers.MobileBertModel:
    torch.manual_seed(0)
    config = small_shape(**others)
    return transformers.MobileBertModel(config, add_pooling_layer=False).eval()


def tokens(lengths: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Random ids, padded to the longest, and their mask."""
    torch.manual_seed(1)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return torch.randint(5, 1000, mask.shape) * mask, mask


@pytest.mark.parametrize("normalisation", ["layer_norm", "no_norm"])
def test_given_copies_of_its_layers_an_encoder_says_what_it_said(normalisation: str) -> None:
    shallow = encoder(normalization_type=normalisation)
    ids, mask = tokens((7, 4))

    deep = deepen(shallow, 3).eval()

    assert deep.config.num_hidden_layers == 3
    assert shallow.config.num_hidden_layers == 1
    with torch.no_grad():
        said = [one(ids, mask).last_hidden_state[mask.bool()] for one in (shallow, deep)]
    assert torch.allclose(*said, atol=1e-4)


def test_given_a_deepened_encoder_its_new_layers_learn() -> None:
    deep = deepen(encoder(), 2)
    ids, mask = tokens((5,))

    torch.autograd.backward(deep(ids, mask).last_hidden_state.square().sum())

    silent = deep.encoder.layer[1].output.bottleneck.dense
    assert not silent.weight.any()
    assert silent.weight.grad.abs().sum() > 0


def test_given_another_kind_of_encoder_it_cannot_be_deepened() -> None:
    bert = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=50,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=16,
        )
    )

    with pytest.raises(ModelError, match="only a MobileBERT"):
        deepen(bert, 2)


def test_given_the_same_relations_in_another_width_the_loss_is_zero() -> None:
    torch.manual_seed(0)
    _, mask = tokens((6, 3))
    theirs = torch.randn(2, 6, 3 * 32)
    # Every part is as wide again with noughts, and scaled as its width is.
    parts = theirs.view(2, 6, 3, 16, 2)
    mine = torch.cat([parts, torch.zeros_like(parts)], -1).flatten(2) * 2**0.25

    assert float(relation_loss(mine, theirs, mask)) == pytest.approx(0, abs=1e-6)
    assert float(relation_loss(torch.randn_like(mine), theirs, mask)) > 0.1


def test_given_padding_it_has_no_part_in_the_loss() -> None:
    torch.manual_seed(0)
    _, mask = tokens((6, 3))
    theirs, mine = torch.randn(2, 6, 96), torch.randn(2, 6, 48)
    before = relation_loss(mine, theirs, mask)

    mine[1, 3:], theirs[1, 3:] = 100.0, -100.0

    assert torch.allclose(relation_loss(mine, theirs, mask), before)


def test_given_an_attention_that_cannot_be_cut_it_is_said() -> None:
    with pytest.raises(ModelError, match="24 wide can't be cut into 16 parts: leave out attention"):
        Projections(encoder(intra_bottleneck_size=24, true_hidden_size=24))


def test_given_a_deeper_student_and_attention_it_learns_both(tmp_path: Path) -> None:
    texts = [row["text"] for row in joint_rows()]
    (tmp_path / "texts.txt").write_text("\n".join(texts * 3))
    config = write_config(
        tmp_path,
        task="distill",
        teacher=str(small_teacher(tmp_path / "teacher", hidden=32)),
        texts=["texts.txt"],
        attention=1.0,
        deepen=3,
    )

    folder = train(read_settings(config), config, lambda _: None)

    assert load_encoder(folder).config.num_hidden_layers == 3
    assert Encoder.load(folder).vector_size == 32
