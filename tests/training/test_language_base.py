"""A base, exported, gives states and sentence vectors; small heads over it make a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from language_material import small_shape
from torch import nn

from models.catalogue import check_layout
from models.errors import ModelError
from models.mobilebert import Encoder, LanguageModel
from models.mobilebert.small_heads import read_heads, text_features, word_features, write_heads
from models.training.language.base import BaseNetwork, export_base

TOKENIZER = (
    Path(__file__).resolve().parents[1] / "data" / "models" / "mobilebert-snips" / "tokenizer.json"
)
TEXTS = ["play some jazz", "", "turn the lights on in the kitchen please", "play some jazz"]
SIZE, VECTOR = 32, 12


def network() -> BaseNetwork:
    torch.manual_seed(0)
    encoder = transformers.MobileBertModel(small_shape(), add_pooling_layer=False).eval()
    return BaseNetwork(encoder, nn.Linear(SIZE, VECTOR))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with a tiny base in it."""
    folder = tmp_path_factory.mktemp("weights")
    export_base(
        network(), folder / "tiny-base", TOKENIZER, name="tiny-base", version="1", tokens=48
    )
    return folder


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Encoder:
    return Encoder.load(weights / "tiny-base")


def test_given_texts_the_encoder_gives_states_words_and_vectors(encoder: Encoder) -> None:
    found = encoder.encode(TEXTS)

    assert found.states.shape == (4, int(found.mask.sum(axis=1).max()), SIZE)
    assert found.embeddings.shape == (4, VECTOR)
    assert np.allclose(np.linalg.norm(found.embeddings, axis=1), 1, atol=1e-5)
    assert [len(one.words) for one in found.encodings] == [3, 0, 8, 3]
    assert not found.states[~found.mask].any()
    assert np.array_equal(found.states[0], found.states[3])
    assert (encoder.size, encoder.vector_size, encoder.id) == (SIZE, VECTOR, "tiny-base@1")


def test_given_no_texts_the_encoder_gives_empty_arrays(encoder: Encoder) -> None:
    assert encoder.encode([]).states.shape == (0, 0, SIZE)


def test_given_int8_the_states_are_those_of_the_network_in_pytorch(encoder: Encoder) -> None:
    found = encoder.encode_text(TEXTS[2])
    ids = torch.from_numpy(found.encoding.ids)[None]

    with torch.no_grad():
        states, vector = network()(ids, torch.ones_like(ids))

    similarity = torch.cosine_similarity(states[0], torch.from_numpy(found.states), dim=-1)
    assert float(similarity.min()) > 0.98
    assert float(vector[0] @ torch.from_numpy(found.embedding)) > 0.98


def write_model(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Path:
    labels: dict[str, Any] = {
        "format": 1,
        "name": "mine",
        "version": "1",
        "language": "en",
        "max_tokens": 32,
        "base": "tiny-base",
        "heads": [
            {"kind": "intent", "output": "intent", "labels": ["A", "B"]},
            {"kind": "slots", "output": "tags", "labels": ["O", "B-x", "I-x"], "window": 1},
        ],
    }
    change(labels)
    folder.mkdir()
    (folder / "labels.json").write_text(json.dumps(labels))
    rng = np.random.default_rng(0)
    text, word = 2 * SIZE + VECTOR, 3 * SIZE
    write_heads(
        folder,
        {
            "intent": [
                (rng.normal(size=(text, 8)), np.zeros(8)),
                (rng.normal(size=(8, 2)), np.zeros(2)),
            ],
            "tags": [(rng.normal(size=(word, 3)), np.zeros(3))],
        },
    )
    return folder


def test_given_small_heads_over_a_base_it_is_a_language_model(
    weights: Path, encoder: Encoder
) -> None:
    folder = write_model(weights / "mine")

    check_layout(folder)
    model = LanguageModel.load(folder)
    reading = model.understand(TEXTS[0])

    found = encoder.encode_text(TEXTS[0])
    heads = read_heads(folder, ["intent", "tags"])
    logits = heads["intent"](text_features(found.states, found.embedding))
    assert reading.intents[0].name == "AB"[int(logits.argmax())]
    assert model.slots == ("x",)
    assert word_features(found.states, found.encoding, 1).shape == (3, 3 * SIZE)
    assert model.understand("").rejected == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["heads"][0]["labels"].append("C"), "the heads are of another base"),
        (lambda d: d["heads"][1].update(window=2), "the heads are of another base"),
        (lambda d: d["heads"][0].update(output="topic"), 'has no head "topic", only intent, tags'),
        (lambda d: d.update(max_tokens=64), "max_tokens is 64, but tiny-base@1 takes 48"),
        (lambda d: d.update(base="tiny-base@2"), "made for tiny-base@2, but tiny-base@1 is here"),
        (lambda d: d.update(base="nowhere"), "no model 'nowhere'"),
        (lambda d: d.update(base="../tiny-base"), "base must be the name of a model"),
        (
            lambda d: d["heads"].append({"kind": "states", "output": "states", "size": 32}),
            "leave this head out",
        ),
    ],
)
def test_given_heads_that_do_not_fit_it_says_so(
    weights: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    (tmp_path / "tiny-base").symlink_to(weights / "tiny-base")
    folder = write_model(tmp_path / "mine", change)

    with pytest.raises(ModelError, match=message) as caught:
        LanguageModel.load(folder)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_given_a_damaged_file_of_heads_it_names_it(
    weights: Path, tmp_path: Path, content: bytes | None
) -> None:
    (tmp_path / "tiny-base").symlink_to(weights / "tiny-base")
    folder = write_model(tmp_path / "mine")
    path = folder / "heads.npz"
    path.write_bytes(path.read_bytes()[:200] if content is None else content)

    with pytest.raises(ModelError, match=str(path)):
        LanguageModel.load(folder)


def test_given_a_model_with_a_task_the_encoder_refuses_it(weights: Path) -> None:
    with pytest.raises(ModelError, match="this is no base"):
        Encoder.load(TOKENIZER.parent)
    with pytest.raises(ModelError, match="not for an understander"):
        LanguageModel.load(weights / "tiny-base")
