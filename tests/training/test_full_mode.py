"""``intentd train --mode full``, given a domain and any encoder, fine-tunes all of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
import transformers
from language_material import small_shape

from models.errors import ModelError
from models.mobilebert import LanguageModel
from models.training.domain.trainer import Job, Result, train
from models.training.language.network import BASE_FILE
from pipeline.loading import find_domain

ROOT = Path(__file__).resolve().parents[2]
SORTER = ROOT / "models" / "weights" / "mobilebert-base"

DOMAIN = """\
language: en
intents:
  LampOn: {data: [{sentences: ["(turn|switch) on [the] {room} (lamp|light)"]}]}
  Stop: {data: [{sentences: ["(stop|halt) [please]"]}]}
lists:
  room: {values: [kitchen, cellar, attic, porch]}
"""


def job(folder: Path, base: Path, **others: int) -> Job:
    path = folder / "lamps.yaml"
    path.write_text(DOMAIN)
    options = {"seed": 0, "sentences": 60, "jobs": 1, **others}
    return Job(
        path=find_domain(str(path)),
        root=folder / "lamps.trained",
        base=SORTER,
        mode="full",
        full_base=str(base),
        **options,  # type: ignore[arg-type]
    )


def run(one: Job) -> tuple[Result, list[str]]:
    steps: list[str] = []
    return train(one, lambda step, _done, _of: steps.append(step)), steps


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base of this project's layout with random weights and one layer."""
    torch.manual_seed(0)
    encoder = transformers.MobileBertModel(small_shape(), add_pooling_layer=False)
    folder = tmp_path / "base"
    folder.mkdir()
    states = {f"enc.{name}": tensor.half() for name, tensor in encoder.state_dict().items()}
    torch.save(states, folder / BASE_FILE)
    (folder / "tokenizer.json").write_bytes((SORTER / "tokenizer.json").read_bytes())
    return folder


def test_given_a_base_it_writes_a_version_that_the_daemon_loads(tmp_path: Path, base: Path) -> None:
    result, steps = run(job(tmp_path, base))

    names = {path.name for path in result.folder.iterdir() if path.is_file()}
    assert names >= {"README.md", "labels.json", "model.onnx", "tokenizer.json"}
    model = LanguageModel.load(result.folder)
    assert set(model.intents) == {"LampOn", "Stop"}
    assert model.slots == ("room",)
    labels = json.loads((result.folder / "labels.json").read_text())
    [head] = [one for one in labels["heads"] if "out_of_scope" in one]
    assert head["out_of_scope"] == "<none>"
    assert 0 < head["threshold"] < 1
    assert labels["intent_slots"] == {"LampOn": ["room"], "Stop": []}
    assert "--mode full" in (result.folder / "README.md").read_text()
    assert steps.count("training") > 10, "progress is told while it learns"


def test_given_a_folder_of_hugging_face_it_starts_from_that(tmp_path: Path) -> None:
    folder = tmp_path / "google"
    torch.manual_seed(0)
    config = small_shape(normalization_type="no_norm", vocab_size=30_522)
    transformers.MobileBertModel(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((SORTER / "tokenizer.json").read_bytes())

    result, _ = run(job(tmp_path, folder))

    assert LanguageModel.load(result.folder).slots == ("room",)


def test_given_the_same_domain_again_nothing_is_learned(tmp_path: Path, base: Path) -> None:
    first, _ = run(job(tmp_path, base))
    again, steps = run(job(tmp_path, base))

    assert not first.reused
    assert again.reused
    assert "training" not in steps


def test_given_a_base_without_weights_to_train_it_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(ModelError, match=r"no encoder that can be loaded"):
        run(job(tmp_path, empty))


def test_given_no_torch_it_names_the_extra(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(
        ModelError, match=r"needs the package torch: pip install 'intentd\[train\]'"
    ):
        run(job(tmp_path, base))
