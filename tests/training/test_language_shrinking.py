"""Int8 is kept where no measure loses more than is allowed, or than one text is worth."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from language_material import small_shape
from torch import nn

from models.mobilebert.session import open_session
from models.training.language.base import BaseNetwork
from models.training.language.export import write_onnx
from models.training.language.shrinking import shrink

FULL = {"accuracy": 0.95, "out-of-scope recall": 0.96}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a tiny network in fp32."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("fp32")
    encoder = transformers.MobileBertModel(small_shape(), add_pooling_layer=False)
    network = BaseNetwork(encoder.eval(), nn.Linear(32, 12))
    write_onnx(network, folder / "model.onnx", {"states": True, "embedding": False})
    return folder


@pytest.mark.parametrize(
    ("small", "steps", "kept"),
    [
        ({"accuracy": 0.948, "out-of-scope recall": 0.96}, {}, True),
        ({"accuracy": 0.94, "out-of-scope recall": 0.96}, {}, False),
        ({"accuracy": 0.95, "out-of-scope recall": 0.95}, {}, False),
        ({"accuracy": 0.95, "out-of-scope recall": 0.95}, {"out-of-scope recall": 0.01}, True),
        ({"accuracy": 0.95, "out-of-scope recall": 0.94}, {"out-of-scope recall": 0.01}, False),
    ],
)
def test_given_what_int8_loses_it_is_kept_or_not(
    full: Path, tmp_path: Path, small: dict[str, float], steps: dict[str, float], kept: bool
) -> None:
    said: list[str] = []

    measures, int8 = shrink(
        full, tmp_path, lambda folder: FULL if folder == full else small, 0.003, said.append, steps
    )

    assert (measures, int8) == ((small, True) if kept else (FULL, False))
    kinds = {node.type for node in open_session(tmp_path / "model.onnx", threads=1).get_inputs()}
    assert kinds == {"tensor(int64)"}
    sizes = [(folder / "model.onnx").stat().st_size for folder in (full, tmp_path)]
    assert (sizes[1] < sizes[0]) == kept
    assert ("stays in fp32" in said[-1]) == (not kept)
