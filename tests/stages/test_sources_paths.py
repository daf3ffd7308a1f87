"""Files, folders, patterns and - become a list of recordings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.errors import SourceError
from stages.sources.paths import expand, shown


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.wav",
        "a.FLAC",
        "notes.txt",
        "expect.ndjson",
        "deep/er/c.ogg",
        "d.mp3",
        ".e.wav",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(paths: list[str], folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in paths]


def test_given_a_folder_all_recordings_below_it_come_sorted(folder: Path) -> None:
    assert names(expand([str(folder)]), folder) == ["a.FLAC", "b.wav", "d.mp3", "deep/er/c.ogg"]


def test_given_a_pattern_the_recordings_that_match_come_sorted(folder: Path) -> None:
    assert names(expand([f"{folder}/*"]), folder) == ["a.FLAC", "b.wav", "d.mp3"]
    assert names(expand([f"{folder}/**/[c-d].*"]), folder) == ["d.mp3", "deep/er/c.ogg"]


def test_given_a_pattern_for_other_names_it_is_obeyed(folder: Path) -> None:
    assert names(expand([f"{folder}/*.txt"]), folder) == ["notes.txt"]


def test_given_a_file_whose_name_looks_like_a_pattern_it_is_taken_as_it_is(folder: Path) -> None:
    (folder / "what[1]?.wav").touch()
    assert names(expand([f"{folder}/what[1]?.wav"]), folder) == ["what[1]?.wav"]


def test_given_several_paths_their_order_is_kept(folder: Path) -> None:
    paths = [f"{folder}/deep", "-", f"{folder}/b.wav", f"{folder}/b.wav"]
    assert expand(paths) == [f"{folder}/deep/er/c.ogg", "-", f"{folder}/b.wav", f"{folder}/b.wav"]


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("gone.wav", "no such file"),
        ("*.aiff", "no file matches"),
        ("bare", "no recordings in this folder"),
        ("dangling.wav", "no such file"),
    ],
)
def test_given_a_path_that_gives_nothing_it_is_named(path: str, fault: str, folder: Path) -> None:
    (folder / "bare").mkdir()
    (folder / "dangling.wav").symlink_to("nowhere")
    with pytest.raises(SourceError, match=fault) as raised:
        expand([str(folder / "b.wav"), str(folder / path)])
    assert raised.value.message.startswith(str(folder / path))


def test_given_a_name_that_would_break_the_line_it_is_escaped() -> None:
    assert shown("a\nb.wav") == "a\\nb.wav"
    assert shown(os.fsdecode(b"caf\xe9.wav")).isprintable()
    assert shown("größe.wav") == "größe.wav"
