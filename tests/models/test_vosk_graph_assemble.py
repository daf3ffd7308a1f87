"""A model folder is made of parts, whole or not at all, and never of parts that clash."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.errors import ModelError
from models.vosk.assemble import Parts, assemble
from models.vosk.manifest import model_id, read_manifest

WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
ENGLISH = WEIGHTS / "vosk-en"
HOME = WEIGHTS / "vosk-home"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A private copy of the English model that a test may damage."""
    return shutil.copytree(ENGLISH, tmp_path / "base")


def test_given_a_base_and_a_grammar_then_both_are_in_the_folder(tmp_path: Path) -> None:
    folder = assemble(Parts(ENGLISH, HOME), tmp_path)
    assert (folder / "am/final.mdl").samefile(ENGLISH / "am/final.mdl")
    assert (folder / "graph/HCLr.fst").samefile(ENGLISH / "graph/HCLr.fst")
    assert (folder / "graph/Gr.fst").samefile(HOME / "Gr.fst")
    assert (folder / "graph/phones/word_boundary.int").is_file()
    assert model_id(folder) == model_id(ENGLISH) == "vosk-en-starter@5"


def test_given_no_grammar_then_the_bases_own_is_used(tmp_path: Path) -> None:
    folder = assemble(Parts(ENGLISH), tmp_path)
    assert (folder / "graph/Gr.fst").samefile(ENGLISH / "graph/Gr.fst")


def test_given_the_folder_then_vosk_never_ends_an_utterance_by_itself(tmp_path: Path) -> None:
    conf = assemble(Parts(ENGLISH, options={"beam": 11.5}), tmp_path) / "conf"
    lines = (conf / "model.conf").read_text().splitlines()
    options = dict(line.removeprefix("--").split("=") for line in lines)
    assert len(options) == len(lines)
    assert options["beam"] == "11.5"
    assert options["acoustic-scale"] == "0.5"
    for rule in (1, 2, 3, 4):
        assert float(options[f"endpoint.rule{rule}.min-trailing-silence"]) >= 1e6
    assert float(options["endpoint.rule5.min-utterance-length"]) >= 1e6


def test_given_the_same_parts_then_the_same_folder_and_other_parts_another(
    base: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    first = assemble(Parts(base), cache)
    assert assemble(Parts(base), cache) == first
    assert assemble(Parts(base, HOME), cache) != first
    assert assemble(Parts(base, options={"beam": 10}), cache) != first
    (base / "graph" / "Gr.fst").write_bytes((HOME / "Gr.fst").read_bytes())
    assert assemble(Parts(base), cache) != first


def test_given_many_at_once_then_one_whole_folder_and_no_rest(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(lambda _: assemble(Parts(ENGLISH, HOME), tmp_path), range(16)))
    assert len(folders) == 1
    assert list((tmp_path / "vosk").iterdir()) == list(folders)


def test_given_no_links_then_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("links are not supported here")

    monkeypatch.setattr(os, "symlink", refuse)
    folder = assemble(Parts(ENGLISH, HOME), tmp_path)
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert (folder / "graph/Gr.fst").read_bytes() == (HOME / "Gr.fst").read_bytes()
    assert (folder / "graph/phones/word_boundary.int").is_file()


@pytest.mark.parametrize("name", ["am/final.mdl", "conf/mfcc.conf", "conf/model.conf"])
def test_given_an_incomplete_base_then_the_error_names_the_file(
    base: Path, tmp_path: Path, name: str
) -> None:
    (base / name).unlink()
    with pytest.raises(ModelError, match=f"base is not a Vosk model: {name} is missing"):
        assemble(Parts(base), tmp_path)


def test_given_a_grammar_for_other_words_then_it_is_refused(base: Path, tmp_path: Path) -> None:
    with (base / "graph" / "words.txt").open("a") as words:
        words.write("tisane 99999\n")
    with pytest.raises(ModelError, match=r"was compiled for vosk-en-starter@5, and .* other words"):
        assemble(Parts(base, HOME), tmp_path)


def test_given_a_folder_without_a_grammar_then_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not a compiled grammar: it has neither HCLG"):
        assemble(Parts(ENGLISH, tmp_path), tmp_path)


def test_given_a_static_model_then_a_grammar_is_refused(base: Path, tmp_path: Path) -> None:
    (base / "graph" / "HCLr.fst").rename(base / "graph" / "HCLG.fst")
    with pytest.raises(ModelError, match=r"can't take a grammar: it has no graph/HCLr\.fst"):
        assemble(Parts(base, HOME), tmp_path)


def test_given_a_damaged_manifest_then_the_error_names_it(base: Path) -> None:
    (base / "model.json").write_text('{"name": "x"}')
    with pytest.raises(ModelError, match=r"model\.json is not a model's manifest"):
        read_manifest(base)


def test_given_a_model_from_elsewhere_then_its_folder_names_it(base: Path) -> None:
    (base / "model.json").unlink()
    assert model_id(base) == "base"


def test_given_a_cache_that_cant_be_written_then_the_error_names_it(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(ModelError, match=r"can't be made: .*choose another cache directory"):
        assemble(Parts(ENGLISH), tmp_path / "cache")
