"""Unpacking archives that are whole, damaged or hostile."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from models.catalogue import check_layout
from models.catalogue.archive import unpack
from models.errors import ModelError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where it is unpacked."""
    path = tmp_path / "deep" / "staging"
    path.mkdir(parents=True)
    return path


def test_the_only_top_folder_is_the_model(vosk_zip: Path, folder: Path) -> None:
    model = unpack(vosk_zip, folder)
    assert model == folder / "vosk-model-tiny-xx-0.1"
    assert check_layout(model) == "vosk"


def test_without_a_top_folder_it_is_the_folder_itself(
    vosk_folder: Path, tmp_path: Path, folder: Path
) -> None:
    flat = tmp_path / "flat.zip"
    with zipfile.ZipFile(flat, "w") as archive:
        for path in vosk_folder.rglob("*"):
            archive.write(path, path.relative_to(vosk_folder))
    assert unpack(flat, folder) == folder
    assert check_layout(folder) == "vosk"


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "a\\..\\evil", "C:/evil"])
def test_an_entry_outside_the_folder_is_refused(
    vosk_zip: Path, folder: Path, tmp_path: Path, name: str
) -> None:
    with zipfile.ZipFile(vosk_zip, "a") as archive:
        archive.writestr(name, b"evil")
    with pytest.raises(ModelError, match="outside its folder: refused"):
        unpack(vosk_zip, folder)
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_is_refused(vosk_zip: Path, folder: Path) -> None:
    with zipfile.ZipFile(vosk_zip, "a") as archive:
        link = zipfile.ZipInfo("vosk-model-tiny-xx-0.1/am/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="has the link"):
        unpack(vosk_zip, folder)


def test_a_bomb_is_refused_before_it_unpacks(vosk_zip: Path, folder: Path) -> None:
    with zipfile.ZipFile(vosk_zip, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(64 << 20))
    with pytest.raises(ModelError, match="refused as no model"):
        unpack(vosk_zip, folder)
    assert list(folder.iterdir()) == []


def test_very_many_files_are_refused(vosk_zip: Path, folder: Path) -> None:
    with zipfile.ZipFile(vosk_zip, "a") as archive:
        for number in range(2_001):
            archive.writestr(f"{number}", b"")
    with pytest.raises(ModelError, match="refused as no model"):
        unpack(vosk_zip, folder)


@pytest.mark.parametrize("damage", ["flipped", "cut off", "empty", "something else"])
def test_a_damaged_archive_is_refused(vosk_zip: Path, folder: Path, damage: str) -> None:
    whole = vosk_zip.read_bytes()
    third = len(whole) // 3
    flipped = whole[:third] + bytes([whole[third] ^ 0xFF]) + whole[third + 1 :]
    damaged = {
        "flipped": flipped,
        "cut off": whole[:-30],
        "empty": b"",
        "something else": b"<html>",
    }
    vosk_zip.write_bytes(damaged[damage])
    with pytest.raises(ModelError, match="is no whole zip archive"):
        unpack(vosk_zip, folder)


def test_an_encrypted_archive_is_refused(vosk_zip: Path, folder: Path) -> None:
    content = vosk_zip.read_bytes()
    with zipfile.ZipFile(vosk_zip) as archive:
        directory = archive.start_dir
    flags = directory + 8  # offset of the flags in a central directory header
    encrypted = bytes([content[flags] | 1])
    vosk_zip.write_bytes(content[:flags] + encrypted + content[flags + 1 :])
    with pytest.raises(ModelError, match="is encrypted: unpack it"):
        unpack(vosk_zip, folder)
