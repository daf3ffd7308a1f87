"""Books and transcripts become sentences as they are spoken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.errors import ModelError
from models.training.speech.prose import book, main, read, sentences


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Mr. Pickwick rose; he bowed.", ["mister pickwick rose", "he bowed"]),
        ("“It’s _late_,” she said--too late!", ["it's late she said too late"]),
        ("He was born in 1812. He wrote.", ["he wrote"]),
        ("Write to a@b.org now! Then wait here.", ["then wait here"]),
        ("One line\nand another\n\nNew paragraph.", ["one line and another", "new paragraph"]),
        ("Yes.", []),
        ("", []),
    ],
)
def test_given_prose_then_its_sentences_as_spoken(text: str, spoken: list[str]) -> None:
    assert list(sentences(text)) == spoken


def test_given_books_of_project_gutenberg_then_licences_are_left_out() -> None:
    one = "The small print\n*** START OF THIS BOOK ***\nShe came in.\n*** END OF THIS BOOK\nLaw."
    two = "*START**THE SMALL PRINT!\nLaw.\n*END*THE SMALL PRINT! Ver\n<i>He</i> left us.\nEnd of "
    assert list(sentences(book(one))) == ["she came in"]
    both = book(one + "\n" + two + "Project Gutenberg's book. More law.")
    assert list(sentences(both)) == ["she came in", "he left us"]
    assert book("No marks at all") == "No marks at all"


def test_given_a_manifest_then_transcripts_of_every_other_speaker(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.tsv"
    manifest.write_text(
        "path\ttranscript\tspeaker\na.wav\tIt RAINS\tann\nb.wav\t\tann\nc.wav\tit's dry\tbob\n"
    )
    assert list(read(manifest)) == ["it rains", "it's dry"]
    assert list(read(manifest, "even")) == ["it rains"]
    assert list(read(manifest, "odd")) == ["it's dry"]


def test_given_paragraphs_in_json_and_old_encodings_then_both_are_read(tmp_path: Path) -> None:
    bible = tmp_path / "ruth.json"
    rows = [{"type": "paragraph text", "value": value} for value in ("Now it came", "to pass.")]
    bible.write_text(json.dumps([*rows, {"type": "paragraph end"}]))
    old = tmp_path / "old.txt"
    old.write_bytes("Dr. M\xfcller sat down.".encode("latin-1"))
    out = tmp_path / "out.txt"
    result = CliRunner().invoke(main, [str(out), str(bible), str(old)])
    assert result.exit_code == 0, result.output
    assert out.read_text() == "now it came to pass\ndoctor m ller sat down\n"
    assert "2 sentences, 10 words" in result.output


def test_given_json_of_another_form_then_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"a": 1}')
    with pytest.raises(ModelError, match=r"other\.json: no list of paragraphs"):
        list(read(path))
    result = CliRunner().invoke(main, [str(tmp_path / "out.txt"), str(path)])
    assert result.exit_code == 1
    assert "Error: " in result.output
    assert not (tmp_path / "out.txt").exists()
