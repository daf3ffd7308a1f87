"""The trainer, given a base and a domain, writes a model folder that the runtime loads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.mobilebert import LanguageModel
from models.training.language.train_domain import main

ROOT = Path(__file__).resolve().parents[2]
COFFEE = ROOT / "configs" / "domains" / "coffee.yaml"
TOKENIZER = ROOT / "tests" / "data" / "models" / "mobilebert-snips" / "tokenizer.json"


def options(base: Path, out: Path) -> list[str]:
    small = ["--examples", "64", "--epochs", "1", "--batch", "16"]
    return ["--domain", str(COFFEE), "--base", str(base), "--out", str(out), *small]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base with random weights and one layer."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("onnx")
    config = transformers.MobileBertConfig(
        embedding_size=16,
        hidden_size=32,
        intra_bottleneck_size=16,
        true_hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_feedforward_networks=2,
        max_position_embeddings=64,
        normalization_type="layer_norm",
    )
    torch.manual_seed(0)
    encoder = transformers.MobileBertModel(config, add_pooling_layer=False)
    states = {f"enc.{name}": tensor.half() for name, tensor in encoder.state_dict().items()}
    folder = tmp_path / "base"
    folder.mkdir()
    torch.save(states, folder / "encoder.fp16.pt")
    (folder / "tokenizer.json").symlink_to(TOKENIZER)
    return folder


def test_given_a_base_it_writes_a_folder_that_loads(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One epoch over so few sentences teaches nothing, so int8 may not be held against fp32.
    monkeypatch.setattr("models.training.language.train_domain.MAX_LOSS", 1.0)
    monkeypatch.setattr("models.training.language.material.HELD_OUT", 20)
    out = tmp_path / "mobilebert-coffee"

    result = CliRunner().invoke(main, options(base, out), catch_exceptions=False)

    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "labels.json",
        "model.onnx",
        "tokenizer.json",
    ]
    model = LanguageModel.load(out)
    assert model.id == "mobilebert-coffee@1"
    assert model.intents == ("orderDrink",)
    assert set(model.slots) == {
        "size", "roast", "numberOfShots", "coffeeDrink", "milkAmount", "sugarAmount",
    }  # fmt: skip
    labels = json.loads((out / "labels.json").read_text())
    assert labels["heads"][0]["out_of_scope"] == "<none>"
    assert "--seed 0" in (out / "README.md").read_text()


def test_given_a_base_without_encoder_it_names_the_file(base: Path, tmp_path: Path) -> None:
    (base / "encoder.fp16.pt").unlink()

    result = CliRunner().invoke(main, options(base, tmp_path / "out"))

    assert result.exit_code == 1
    assert f"{base / 'encoder.fp16.pt'} is missing" in result.output


def test_given_a_base_without_tokenizer_it_names_the_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, options(tmp_path, tmp_path / "out"))

    assert result.exit_code == 1
    assert f"{tmp_path / 'tokenizer.json'} is missing" in result.output


def test_given_no_torch_it_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenizer.json").symlink_to(TOKENIZER)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("models.training.language.material.HELD_OUT", 20)

    result = CliRunner().invoke(main, options(tmp_path, tmp_path / "out"))

    assert result.exit_code == 1
    assert "pip install 'intentd[train]'" in result.output
