"""Which files a model folder must have, and how a missing or broken one is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from models.catalogue import check_layout, kind_of
from models.errors import ModelError


def test_whole_folders_pass(vosk_folder: Path, mobilebert_folder: Path) -> None:
    assert check_layout(vosk_folder) == "vosk"
    assert check_layout(mobilebert_folder) == "mobilebert"


@pytest.mark.parametrize(
    "name",
    [
        "am/final.mdl",
        "conf/mfcc.conf",
        "conf/model.conf",
        "graph/HCLr.fst",
        "graph/Gr.fst",
        "graph/disambig_tid.int",
    ],
)
def test_a_missing_or_empty_file_of_a_vosk_model_is_named(vosk_folder: Path, name: str) -> None:
    (vosk_folder / name).write_bytes(b"")
    with pytest.raises(ModelError, match=f"{name} is empty"):
        check_layout(vosk_folder)
    (vosk_folder / name).unlink()
    with pytest.raises(ModelError, match=f"{vosk_folder / name} is missing: .*pull it"):
        check_layout(vosk_folder)


def test_a_static_graph_needs_no_lookahead_files(vosk_folder: Path) -> None:
    graph = vosk_folder / "graph"
    (graph / "Gr.fst").rename(graph / "HCLG.fst")
    (graph / "HCLr.fst").unlink()
    (graph / "disambig_tid.int").unlink()
    assert check_layout(vosk_folder) == "vosk"


def test_the_older_flat_layout_is_known(vosk_folder: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in vosk_folder.rglob("*.*"):
        path.rename(flat / path.name)
    assert check_layout(flat) == "vosk"
    (flat / "mfcc.conf").unlink()
    with pytest.raises(ModelError, match=r"flat/mfcc.conf is missing"):
        check_layout(flat)


def test_an_ivector_extractor_needs_its_parts(vosk_folder: Path) -> None:
    ivector = vosk_folder / "ivector"
    ivector.mkdir()
    for name in ("final.ie", "final.dubm", "final.mat", "global_cmvn.stats", "splice.conf"):
        (ivector / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=r"ivector/online_cmvn.conf is missing"):
        check_layout(vosk_folder)


@pytest.mark.needs("fstcompile", "libfst-tools")
def test_words_txt_is_needed_only_where_the_graph_carries_no_words(vosk_folder: Path) -> None:
    graph = vosk_folder / "graph"
    words = graph / "words.txt"
    words.write_text("<eps> 0\nyes 1\n")
    arcs = b"0 1 yes yes\n1\n"
    compiling = ["fstcompile", f"--isymbols={words}", f"--osymbols={words}"]
    for keep, required in (("--keep_osymbols", False), ("--keep_osymbols=false", True)):
        words.write_text("<eps> 0\nyes 1\n")
        with (graph / "Gr.fst").open("wb") as file:
            subprocess.run([*compiling, keep], input=arcs, stdout=file, check=True)
        assert check_layout(vosk_folder) == "vosk"
        words.unlink()
        if required:
            with pytest.raises(ModelError, match=r"words.txt is missing: Gr.fst carries no words"):
                check_layout(vosk_folder)
        else:
            assert check_layout(vosk_folder) == "vosk"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>Not Found</html>", "is no OpenFst file"),
        (b"\xd6", "is cut off"),
        (b"\xd6\xfd\xb2\x7e\xff\xff\xff\x7f", "has a damaged header"),
    ],
)
def test_a_graph_that_is_none_is_named(vosk_folder: Path, content: bytes, message: str) -> None:
    (vosk_folder / "graph" / "Gr.fst").write_bytes(content)
    with pytest.raises(ModelError, match=f"graph/Gr.fst {message}"):
        check_layout(vosk_folder)


@pytest.mark.parametrize("inside", [".", "graph"])
def test_a_compiled_grammar_is_known_and_its_file_checked(
    vosk_folder: Path, tmp_path: Path, inside: str
) -> None:
    grammar = tmp_path / "grammar"
    (grammar / inside).mkdir(parents=True, exist_ok=True)
    path = (vosk_folder / "graph" / "Gr.fst").rename(grammar / inside / "Gr.fst")
    assert check_layout(grammar) == "vosk-grammar"
    path.write_bytes(b"")
    with pytest.raises(ModelError, match=r"Gr.fst is cut off"):
        check_layout(grammar)


@pytest.mark.parametrize("name", ["labels.json", "tokenizer.json"])
def test_a_missing_or_broken_file_of_a_mobilebert_model_is_named(
    mobilebert_folder: Path, name: str
) -> None:
    path = mobilebert_folder / name
    path.write_text("{")
    with pytest.raises(ModelError, match=f"{name} is not JSON"):
        check_layout(mobilebert_folder)
    path.write_text("[]")
    with pytest.raises(ModelError, match=f"{name} holds no JSON object"):
        check_layout(mobilebert_folder)
    path.unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        check_layout(mobilebert_folder)


def test_a_mobilebert_model_needs_its_network(mobilebert_folder: Path) -> None:
    (mobilebert_folder / "model.int8.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=r"model.int8.onnx is empty"):
        check_layout(mobilebert_folder)
    (mobilebert_folder / "model.int8.onnx").unlink()
    with pytest.raises(ModelError, match=r"model.onnx is missing: .* needs an ONNX file"):
        check_layout(mobilebert_folder)


def test_a_pretrained_checkpoint_is_a_mobilebert_too(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "vocab.txt").write_text("[PAD]\n")
    with pytest.raises(ModelError, match=r"pytorch_model.bin is missing"):
        check_layout(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    assert check_layout(tmp_path) == "mobilebert"


def test_a_folder_of_something_else_is_no_model(tmp_path: Path) -> None:
    assert kind_of(tmp_path) is None
    with pytest.raises(ModelError, match=r"is no model folder: a Vosk model has am/final.mdl"):
        check_layout(tmp_path)
    with pytest.raises(ModelError, match="nowhere does not exist"):
        check_layout(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="file is not a folder"):
        check_layout(tmp_path / "file")
