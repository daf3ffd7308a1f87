"""Small texts, a tiny shape and configurations for the language trainer's tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
import yaml

SNIPS = Path(__file__).resolve().parents[1] / "data" / "models" / "mobilebert-snips"
TINY = {
    "layers": 1,
    "hidden": 32,
    "embedding": 16,
    "bottleneck": 16,
    "feed_forward": 32,
    "feed_forwards": 2,
    "heads": 2,
    "positions": 64,
}
ROOMS = ("kitchen", "cellar", "garden", "office")
SONGS = ("blue moon", "yesterday", "let it be", "imagine")


SENTENCES = (
    "turn on the light in kitchen cellar garden office",
    "play blue moon yesterday let it be imagine",
    "team won shares fell club sells who are you seven apples anna sings new york",
    "pool opens at nine breakfast is served when does open where . ? |",
)
KEPT = 3000
"""BERT's pieces with smaller ids are kept: the special ones, letters and the commonest words."""


def small_shape(**others: int | str) -> transformers.MobileBertConfig:
    """A MobileBERT of one narrow layer."""
    shape: dict[str, int | str] = {
        "embedding_size": 16,
        "hidden_size": 32,
        "intra_bottleneck_size": 16,
        "true_hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_feedforward_networks": 2,
        "max_position_embeddings": 64,
        "normalization_type": "layer_norm",
    }
    return transformers.MobileBertConfig(**(shape | others))


def small_tokenizer(folder: Path) -> Path:
    """A folder with a tokenizer of few pieces, with which all else is fast too."""
    folder.mkdir(exist_ok=True)
    path = folder / "tokenizer.json"
    if not path.exists():
        content = json.loads((SNIPS / "tokenizer.json").read_text())
        kept = {w: i for w, i in content["model"]["vocab"].items() if i < KEPT}
        for sentence in SENTENCES:
            for word in sentence.split():
                kept.setdefault(word, len(kept))
        assert sorted(kept.values()) == list(range(len(kept)))
        content["model"]["vocab"] = kept
        path.write_text(json.dumps(content))
    return folder


def count_pieces(folder: Path) -> int:
    """Size of the vocabulary of the ``small_tokenizer`` beside ``folder``."""
    tokenizer = small_tokenizer(folder.parent / "tokenizer") / "tokenizer.json"
    return len(json.loads(tokenizer.read_text())["model"]["vocab"])


def save_pretrained(network: Any, folder: Path) -> Path:
    """A Hugging Face folder of a network with the ``small_tokenizer``."""
    network.save_pretrained(folder)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(small_tokenizer(folder.parent / "tokenizer") / "tokenizer.json"),
        pad_token="[PAD]",
    )
    tokenizer.save_pretrained(folder)
    return folder


def small_teacher(folder: Path, hidden: int = 24) -> Path:
    """A folder of a BERT of two layers."""
    config = transformers.BertConfig(
        vocab_size=count_pieces(folder),
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    torch.manual_seed(1)
    return save_pretrained(transformers.BertModel(config), folder)


def joint_rows() -> list[dict[str, Any]]:
    """Two intents with a slot each."""
    rows = []
    for room in ROOMS:
        text = f"turn on the light in the {room}"
        slot = {"name": "room", "start": 25, "end": 25 + len(room)}
        rows.append({"text": text, "intent": "LightOn", "slots": [slot]})
    for song in SONGS:
        slot = {"name": "song", "start": 5, "end": 5 + len(song)}
        rows.append({"text": f"play {song}", "intent": "Play", "slots": [slot]})
    return rows


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_config(folder: Path, **keys: Any) -> Path:
    """A configuration of a short run with a tiny network."""
    settings = {
        "out": "run",
        "name": "tiny",
        "base": "scratch",
        "tokenizer": str(small_tokenizer(folder / "tokenizer")),
        "shape": TINY,
        "batch": 4,
        "epochs": 2,
        "max_tokens": 48,
        "int8_loss": 1.0,
        **keys,
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def joint_config(folder: Path, **keys: Any) -> Path:
    """A joint run on ``joint_rows``."""
    write_rows(folder / "train.ndjson", joint_rows())
    return write_config(
        folder,
        **{
            "task": "joint",
            "train": ["train.ndjson"],
            "development": ["train.ndjson"],
            "test": {"written": "train.ndjson"},
            **keys,
        },
    )


def squad(folder: Path) -> Path:
    """Two questions about house rules."""
    context = "The pool opens at nine. Breakfast is served in the garden."
    qas = [
        {"question": "When does the pool open?", "answers": [{"answer_start": 18, "text": "nine"}]},
        {
            "question": "Where is breakfast?",
            "answers": [{"answer_start": 44, "text": "the garden"}],
        },
    ]
    qas[1]["answers"][0]["answer_start"] = context.index("the garden")
    path = folder / "squad.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": qas}]}]}))
    return path
