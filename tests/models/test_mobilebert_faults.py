"""A broken language model, given to load, is refused with the file and the mend in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import ModelError
from models.mobilebert import LanguageModel

SNIPS = Path(__file__).resolve().parent.parent / "data" / "models" / "mobilebert-snips"
FILES = ("model.int8.onnx", "tokenizer.json", "labels.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).symlink_to(SNIPS / name)
    return tmp_path


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        LanguageModel.load(folder)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_given_no_folder_it_names_the_folder(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere") in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_given_a_missing_file_it_names_the_file(folder: Path, name: str) -> None:
    (folder / name).unlink()

    assert f"{folder / name} is missing" in refusal(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"not a model\n",
        lambda content: content[: len(content) // 2],
        lambda content: b"\xff\xfe" + content,
    ],
    ids=["empty", "text", "cut short", "other bytes in front"],
)
def test_given_a_damaged_file_it_names_the_file(
    folder: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    replace(folder / name, damage((SNIPS / name).read_bytes()))

    assert str(folder / name) in refusal(folder)


def drop_intent(labels: dict[str, Any]) -> None:
    del labels["heads"][0]["labels"][-1]
    del labels["intent_slots"]


def drop_tag(labels: dict[str, Any]) -> None:
    labels["heads"][1]["labels"].remove("I-year")
    labels["heads"][1]["transitions"] = None


def swap_outputs(labels: dict[str, Any]) -> None:
    first, second = labels["heads"]
    first["output"], second["output"] = second["output"], first["output"]


CONTRADICTIONS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an intent too few": (drop_intent, "the labels do not fit"),
    "a tag too few": (drop_tag, "the labels do not fit"),
    "outputs swapped": (swap_outputs, "the labels do not fit"),
    "an output that is not there": (
        lambda d: d["heads"][0].update(output="topic_logits"),
        'no output "topic_logits", only intent_logits, slot_logits',
    ),
    "more tokens than positions": (lambda d: d.update(max_tokens=129), "max_tokens does not fit"),
    "an intent twice": (
        lambda d: d["heads"][0]["labels"].append("RateBook"),
        '"RateBook" occurs twice',
    ),
    "a tag twice": (lambda d: d["heads"][1]["labels"].append("B-year"), '"B-year" occurs twice'),
    "no BIO tag": (lambda d: d["heads"][1]["labels"].append("E-year"), '"E-year" is no BIO tag'),
    "an empty slot": (lambda d: d["heads"][1]["labels"].append("B-"), '"B-" is no BIO tag'),
    "I- without B-": (lambda d: d["heads"][1]["labels"].append("I-x"), 'has no "B-x" to follow'),
    "no O": (lambda d: d["heads"][1]["labels"].remove("O"), 'lack "O"'),
    "two heads of a kind": (lambda d: d["heads"].append(d["heads"][0]), "one of each"),
    "no head": (lambda d: d.update(heads=[]), "one of each"),
    "an unknown kind": (lambda d: d["heads"][0].update(kind="topic"), "topic"),
    "an unknown key": (lambda d: d.update(colour="red"), "colour"),
    "a missing key": (lambda d: d.pop("max_tokens"), "max_tokens"),
    "a wrong type": (lambda d: d.update(max_tokens="many"), "max_tokens"),
    "an unknown format": (lambda d: d.update(format=2), "format 2 is not known"),
    "a bad name": (lambda d: d.update(name="My Model"), "name"),
    "a temperature of zero": (lambda d: d["heads"][0].update(temperature=0), "temperature"),
    "a stranger out of scope": (
        lambda d: d["heads"][0].update(out_of_scope="<none>"),
        '"<none>" is not among the labels',
    ),
    "transitions of a stranger": (
        lambda d: d["heads"][1].update(transitions={"O": {"B-ear": 1}}),
        '"B-ear", which is not among the labels',
    ),
    "slots of an unknown intent": (
        lambda d: d["intent_slots"].update(Sing=[]),
        'the intent "Sing", which no head has',
    ),
    "an unknown slot of an intent": (
        lambda d: d["intent_slots"].update(RateBook=["colour"]),
        'the slot "colour", which no head has',
    ),
    "a network elsewhere": (lambda d: d.update(model="../m.onnx"), "file name in the same folder"),
}


@pytest.mark.parametrize(("change", "message"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_given_labels_that_do_not_fit_it_names_them(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    labels = json.loads((SNIPS / "labels.json").read_text())
    change(labels)
    replace(folder / "labels.json", json.dumps(labels).encode())

    refused = refusal(folder)

    assert message in refused
    assert str(folder) in refused


def test_given_a_vocabulary_larger_than_the_embedding_it_says_so(folder: Path) -> None:
    tokenizer = json.loads((SNIPS / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["zyzzyva"] = len(tokenizer["model"]["vocab"])
    replace(folder / "tokenizer.json", json.dumps(tokenizer).encode())

    assert "the id 30522, the largest of the tokenizer" in refusal(folder)


def test_given_a_tokenizer_without_frame_it_says_so(folder: Path) -> None:
    tokenizer = json.loads((SNIPS / "tokenizer.json").read_text())
    tokenizer["post_processor"] = None
    replace(folder / "tokenizer.json", json.dumps(tokenizer).encode())

    assert "does not put [CLS] and [SEP] around a text" in refusal(folder)


def test_given_a_network_with_other_inputs_it_names_them(folder: Path) -> None:
    content = (SNIPS / "model.int8.onnx").read_bytes()
    # Same length, so that the protobuf stays well-formed.
    replace(folder / "model.int8.onnx", content.replace(b"attention_mask", b"attention_mist"))

    assert "has the inputs attention_mist, input_ids" in refusal(folder)
