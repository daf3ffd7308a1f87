"""Texts become a grammar for dictation, with words of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from models.errors import ModelError
from models.vosk.assemble import Parts, assemble
from models.vosk.build import cli
from models.vosk.dictation import WRITTEN, compile_dictation
from models.vosk.manifest import read_manifest
from models.vosk.recogniser import SpeechModel
from models.vosk.words import read_words

ENGLISH = Path(__file__).resolve().parents[2] / "models" / "weights" / "vosk-en"
SEA = [line.split() for line in ("the whale rose", "the aardvark slept", "the whale dived")] * 9
LAND = [line.split() for line in ("a lawyer spoke", "the lawyer and the judge")] * 9


def test_given_texts_then_a_grammar_for_the_model_is_made(tmp_path: Path) -> None:
    report = compile_dictation(
        {"sea": SEA, "land": LAND},
        [["the", "whale", "spoke"], ["the", "whale", "rose", "splish"]],
        ENGLISH,
        tmp_path / "dictation",
        words=5_600,
        ngrams=12,
        version=3,
    )
    assert report.words == 5_600
    assert report.ngrams <= 5_600 + 1 + 12
    assert report.weights["sea"] > 0.7
    assert report.lacking == pytest.approx(1 / 7)
    numbers = read_words(tmp_path / "dictation" / "words.txt")
    base = read_words(ENGLISH / "graph" / "words.txt").keys()
    assert {"aardvark", "whale"} | (base - WRITTEN) <= numbers.keys()
    assert not WRITTEN & numbers.keys()
    manifest = read_manifest(tmp_path / "dictation")
    assert manifest is not None
    assert manifest.id == "dictation@3"
    model = assemble(Parts(ENGLISH, tmp_path / "dictation"), tmp_path / "cache")
    assert SpeechModel(model).has_word("aardvark")


def test_given_the_same_texts_then_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        compile_dictation({"sea": SEA}, LAND, ENGLISH, tmp_path / name, words=5_600, ngrams=9)
    for file in ("HCLr.fst", "Gr.fst", "words.txt"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_given_a_strict_grammar_in_the_folder_then_its_graph_goes_and_the_card_stays(
    tmp_path: Path,
) -> None:
    out = tmp_path / "dictation"
    out.mkdir()
    (out / "HCLG.fst").write_bytes(b"strict")
    (out / "README.md").write_text("card")
    compile_dictation({"sea": SEA}, LAND, ENGLISH, out, words=5_600, ngrams=9)
    files = {path.name for path in out.iterdir()}
    assert files == {"HCLr.fst", "Gr.fst", "words.txt", "model.json", "README.md"}


def test_given_nothing_to_learn_from_then_a_clear_error_and_no_folder(tmp_path: Path) -> None:
    empty: list[list[str]] = [[], []]
    for texts, tuning in (
        ({"sea": SEA}, []),
        ({}, LAND),
        ({"sea": []}, LAND),
        ({"sea": SEA}, empty),
    ):
        with pytest.raises(ModelError, match="needs texts, and sentences to tune them by"):
            compile_dictation(texts, tuning, ENGLISH, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_given_a_text_in_another_language_then_it_is_named(tmp_path: Path) -> None:
    greek = [["θάλασσα", "θάλασσα"]]
    for texts, tuning, name in (
        ({"sea": SEA, "greek": greek}, LAND, "greek"),
        ({"sea": SEA}, greek, "the sentences to tune by"),
    ):
        with pytest.raises(ModelError, match=f"{name}: none of its words has a pronunciation"):
            compile_dictation(texts, tuning, ENGLISH, tmp_path / "none", words=5_600)
    assert not (tmp_path / "none").exists()


def test_given_the_command_then_it_tells_weights_and_sizes(tmp_path: Path) -> None:
    for name, text in (("sea", SEA), ("land", LAND), ("tune", LAND[:2])):
        (tmp_path / name).write_text("\n".join(map(" ".join, text)))
    arguments = ["dictation", "--model", str(ENGLISH), "--tune", str(tmp_path / "tune")]
    arguments += ["--text", str(tmp_path / "sea"), "--text", str(tmp_path / "land")]
    arguments += ["--words", "5550", "--ngrams", "20", "--into", str(tmp_path / "made")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "land: weight 1.000" in result.output
    assert "5550 words" in result.output
    assert (tmp_path / "made" / "Gr.fst").is_file()
