"""Plain texts for a base: requests in both forms, none of a test part, prose without its markup."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from click.testing import CliRunner

from models.training.language.base_texts import main, prose, question_texts, requests


def test_given_requests_they_are_written_and_spoken_and_none_is_of_a_test_part() -> None:
    found = requests(["What's UP, Doc?", "Play  Jazz!", "Stop it."], ["play jazz"])

    assert found == {"what's up, doc?", "what's up doc", "stop it.", "stop it"}


def test_given_prose_its_sentences_are_taken_and_code_is_not() -> None:
    text = (
        ".TH LS 1\nThe program lists all files of a folder. It sorts them by \\fIname\\fR first.\n"
        "\n{ x = 1; y[2] += 3 * (4 - 5); } // 0x1f 0x2f 0x3f\n\nToo short.\n"
    )

    assert list(prose(text)) == [
        "The program lists all files of a folder.",
        "It sorts them by name first.",
    ]


def test_given_questions_they_stand_before_what_answers_them() -> None:
    context = "The pool opens at nine. Dogs stay out."
    asked = {"question": "Who stays out?", "answers": [{"text": "Dogs", "answer_start": 24}]}
    article = {"paragraphs": [{"context": context, "qas": [asked]}]}

    assert list(question_texts([article])) == [
        context,
        "Who stays out?",
        "who stays out?",
        f"Who stays out? [SEP] {context}",
        "Who stays out? [SEP] Dogs stay out.",
    ]


def test_given_files_it_writes_each_text_once(tmp_path: Path) -> None:
    rows = [{"text": "lamp on", "intent": "On"}, {"text": "lamp on", "intent": "On"}]
    (tmp_path / "train.ndjson").write_text("\n".join(map(json.dumps, rows)))
    manual = tmp_path / "man" / "ls.1.gz"
    manual.parent.mkdir()
    manual.write_bytes(gzip.compress(b"The program lists all files of a folder.\n"))
    out = tmp_path / "texts.txt"
    options = ["--examples", str(tmp_path / "train.ndjson"), "--prose", str(manual.parent)]

    result = CliRunner().invoke(main, [str(out), *options], catch_exceptions=False)

    assert result.output == f"{out}: 2 texts\n"
    assert out.read_text() == "lamp on\nThe program lists all files of a folder.\n"


def test_given_what_is_not_squad_it_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"data": [{}]}')

    result = CliRunner().invoke(main, [str(tmp_path / "o"), "--questions", str(path)])

    assert result.exit_code == 1
    assert f"Error: {path} is not in SQuAD's format" in result.output
