"""Texts that are none of CLINC150's business, out of other corpora."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.errors import ModelError
from models.training.language.public_data import MOST_OUTSIDE, convert

QUESTION = {"qas": [{"question": "Who wrote Hamlet?"}]}


def write_corpora(folder: Path) -> Path:
    rows = {
        "hwu64": [("what is the news", "news_query"), ("wake me at six", "alarm_set")],
        "snips": [(f"rate book {number} four stars", "RateBook") for number in range(400)],
    }
    for corpus, texts in rows.items():
        (folder / corpus).mkdir()
        lines = (json.dumps({"text": text, "intent": intent}) for text, intent in texts)
        (folder / corpus / "train.ndjson").write_text("".join(f"{line}\n" for line in lines))
    (folder / "xquad").mkdir()
    for part in ("train", "dev", "test"):
        data = {"data": [{"paragraphs": [QUESTION]}]}
        (folder / "xquad" / f"{part}.json").write_text(json.dumps(data))
    return folder


def test_given_the_other_corpora_then_labels_that_are_its_own_are_left_out(tmp_path: Path) -> None:
    counts = convert("outside", write_corpora(tmp_path), tmp_path / "outside")
    lines = (tmp_path / "outside" / "train.ndjson").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    texts = {row["text"] for row in rows}
    assert {row["intent"] for row in rows} == {"oos"}
    assert {"what is the news", "who wrote hamlet"} <= texts
    assert "wake me at six" not in texts
    assert counts == {"train": len(rows)}
    assert len(rows) == MOST_OUTSIDE + 2


def test_given_a_corpus_is_missing_then_the_error_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not what outside looks like"):
        convert("outside", tmp_path, tmp_path / "outside")
