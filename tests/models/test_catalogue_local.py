"""Installing a model from a copy, on a machine without a network."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from models.catalogue import Entry, RemoteFile, verify
from models.catalogue.install import pull
from models.catalogue.manifest import read_manifest
from models.errors import ModelError

NAME = "vosk-model-tiny-xx-0.1"

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("where", ["folder", "its parent", "archive", "folder of the archive"])
def test_a_copy_is_installed_without_a_network(
    server: Any, entry: Entry, vosk_folder: Path, vosk_zip: Path, where: str
) -> None:
    source = {
        "folder": vosk_folder,
        "its parent": vosk_folder.parent,
        "archive": vosk_zip,
        "folder of the archive": vosk_zip.parent,
    }[where]
    result = pull(entry, source=source)
    assert verify(result.path) == "vosk"
    assert server.requests == []
    assert vosk_folder.exists()
    assert vosk_zip.exists()


def test_a_copied_archive_with_a_wrong_hash_is_refused_and_kept(
    entry: Entry, vosk_zip: Path, installed: Path
) -> None:
    with zipfile.ZipFile(vosk_zip, "a") as archive:
        archive.writestr("extra", b"")
    with pytest.raises(ModelError, match="as published: refused"):
        pull(entry, source=vosk_zip)
    assert vosk_zip.exists()
    assert not (installed / NAME).exists()


def test_a_copied_folder_that_was_pulled_elsewhere_is_compared_with_its_manifest(
    entry: Entry, installed: Path, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    shutil.move(pull(entry).path, stick)
    final = stick / "am" / "final.mdl"
    final.write_bytes(final.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match=r"am/final.mdl is damaged"):
        pull(entry, source=stick)
    assert not (installed / NAME).exists()


def test_a_copied_folder_gets_a_manifest_of_its_own(entry: Entry, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    shutil.move(pull(entry).path, stick)
    path = pull(entry, source=stick).path
    assert verify(path) == "vosk"
    manifest = read_manifest(path)
    assert manifest is not None
    assert manifest.sources == [str(stick)]
    assert "intentd-manifest.json" not in manifest.files


def test_a_file_of_a_copied_folder_is_compared_with_its_published_hash(
    tmp_path: Path, installed: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for name in ("config.json", "vocab.txt", "pytorch_model.bin"):
        (stick / name).write_text("{}")
    right = hashlib.sha256(b"the weights").hexdigest()
    entry = Entry(
        name="bert",
        kind="mobilebert",
        language="en",
        licence="MIT",
        description="small",
        files=(RemoteFile(url="http://nowhere/pytorch_model.bin", sha256=right),),
    )
    with pytest.raises(ModelError, match=r"pytorch_model.bin has the sha256"):
        pull(entry, source=stick)
    assert not (installed / "bert").exists()
    (stick / "pytorch_model.bin").write_bytes(b"the weights")
    assert pull(entry, source=stick).fresh


def test_a_folder_around_the_installed_models_is_refused(
    entry: Entry, home: Path, vosk_folder: Path
) -> None:
    shutil.copytree(vosk_folder, home, dirs_exist_ok=True)
    with pytest.raises(ModelError, match=r"holds .*models, which a copy would fill without end"):
        pull(entry, source=home)


def test_a_copy_of_something_else_is_refused(
    entry: Entry, tmp_path: Path, mobilebert_folder: Path
) -> None:
    with pytest.raises(ModelError, match="nowhere does not exist: give --from"):
        pull(entry, source=tmp_path / "nowhere")
    with pytest.raises(ModelError, match=f"has no {NAME}: give its folder, or one with {NAME}.zip"):
        pull(entry, source=mobilebert_folder)
