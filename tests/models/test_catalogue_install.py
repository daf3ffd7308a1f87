"""Pulling models: from a server, from a copy, into place, and what must never happen."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from models.catalogue import Entry, RemoteFile, verify
from models.catalogue.download import Retries
from models.catalogue.install import pull
from models.catalogue.manifest import read_manifest
from models.errors import ModelError

NAME = "vosk-model-tiny-xx-0.1"
HASTY = Retries(attempts=1, backoff=0.001)
TERABYTE = 1 << 40

pytestmark = pytest.mark.usefixtures("home")


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def rezip(archive: Path, *, drop: str = "", add: dict[str, bytes] | None = None) -> bytes:
    """The archive's bytes with an entry less or some more."""
    fresh = archive.with_suffix(".new")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(fresh, "w") as new:
        for item in old.infolist():
            if not (drop and item.filename.endswith(drop)):
                new.writestr(item, old.read(item))
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return fresh.read_bytes()


def test_a_pulled_model_is_whole_and_recorded(entry: Entry, installed: Path) -> None:
    result = pull(entry)
    assert result.path == installed / NAME
    assert result.fresh
    assert verify(result.path) == "vosk"
    manifest = read_manifest(result.path)
    assert manifest is not None
    assert manifest.sources == [entry.files[0].url]
    recorded = manifest.files["am/final.mdl"]
    content = (result.path / "am" / "final.mdl").read_bytes()
    assert (recorded.size, recorded.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert list((installed / ".partial").iterdir()) == []


def test_a_second_pull_leaves_the_model_alone(server: Any, entry: Entry) -> None:
    first = pull(entry)
    asked = len(server.requests)
    second = pull(entry)
    assert second.path == first.path
    assert not second.fresh
    assert len(server.requests) == asked


def test_a_model_of_another_program_counts_as_installed(
    entry: Entry, vosk_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOSK_MODEL_PATH", str(vosk_folder.parent))
    assert pull(entry).path == vosk_folder


def test_the_progress_reaches_the_total(entry: Entry) -> None:
    seen: list[tuple[int, int | None]] = []
    pull(entry, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (entry.size, entry.size)


def test_a_cut_pull_is_continued_by_the_next(server: Any, entry: Entry, installed: Path) -> None:
    server.cuts = [5_000]
    with pytest.raises(ModelError, match="can't be fetched"):
        pull(entry, retries=HASTY)
    assert names_in(installed) == {".partial"}
    assert pull(entry).fresh
    assert server.requests[-1][1] == "bytes=5000-"


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_wrong_hash_installs_nothing_and_leaves_nothing(
    server: Any, unhashed: Entry, vosk_zip: Path, installed: Path, algorithm: str
) -> None:
    content = vosk_zip.read_bytes()
    right = hashlib.new(algorithm, content).hexdigest()
    wrong = content[:-1] + bytes([content[-1] ^ 1])
    server.files[f"/{NAME}.zip"] = wrong
    file = RemoteFile(url=unhashed.files[0].url, **{algorithm: right})
    entry = msgspec.structs.replace(unhashed, files=(file,))
    with pytest.raises(ModelError, match=f"{algorithm} .*, not {right} as published: refused"):
        pull(entry)
    assert names_in(installed) == {".partial"}
    assert list((installed / ".partial").iterdir()) == []
    server.files[f"/{NAME}.zip"] = content
    assert pull(entry).fresh


def test_the_first_pull_pins_what_nobody_published(
    server: Any, unhashed: Entry, vosk_zip: Path, installed: Path
) -> None:
    pull(unhashed)
    server.files[f"/{NAME}.zip"] = rezip(vosk_zip, add={f"{NAME}/README": b"new"})
    shutil.rmtree(installed / NAME)
    with pytest.raises(ModelError, match="differs from the first pull") as caught:
        pull(unhashed)
    assert not (installed / NAME).exists()
    pins = installed / ".pins" / f"{NAME}.json"
    assert str(pins) in caught.value.message
    pins.unlink()
    assert pull(unhashed).fresh


def test_a_broken_download_is_never_pinned(server: Any, unhashed: Entry, vosk_zip: Path) -> None:
    server.files[f"/{NAME}.zip"] = b"<html>come back later</html>"
    with pytest.raises(ModelError, match="is no whole zip archive"):
        pull(unhashed)
    server.files[f"/{NAME}.zip"] = vosk_zip.read_bytes()
    assert pull(unhashed).fresh


def test_an_archive_without_a_needed_file_is_refused_by_its_name(
    server: Any, unhashed: Entry, vosk_zip: Path, installed: Path
) -> None:
    server.files[f"/{NAME}.zip"] = rezip(vosk_zip, drop="am/final.mdl")
    with pytest.raises(ModelError, match=r"am/final.mdl is missing"):
        pull(unhashed)
    assert names_in(installed) == {".partial"}


def test_the_files_of_a_checkpoint_are_fetched_one_by_one(server: Any, installed: Path) -> None:
    contents = {"config.json": b"{}", "vocab.txt": b"[PAD]\n", "pytorch_model.bin": b"x" * 9_000}
    server.files = {f"/bert/{name}": content for name, content in contents.items()}
    entry = Entry(
        name="bert",
        kind="mobilebert",
        language="en",
        licence="MIT",
        description="small",
        files=tuple(
            RemoteFile(url=f"{server.url}/bert/{name}", size=len(content))
            for name, content in contents.items()
        ),
    )
    seen: list[tuple[int, int | None]] = []
    server.cuts = [2, 6, 4_000]
    with pytest.raises(ModelError, match=r"pytorch_model.bin can't be fetched"):
        pull(entry, retries=HASTY)
    assert not (installed / "bert").exists()
    result = pull(entry, progress=lambda done, total: seen.append((done, total)))
    assert verify(result.path) == "mobilebert"
    assert seen[0] == (4_008, 9_008)
    assert seen[-1] == (9_008, 9_008)
    assert {path.name: path.read_bytes() for path in result.path.iterdir()}.items() >= (
        contents.items()
    )


def test_force_replaces_an_installed_model(entry: Entry) -> None:
    path = pull(entry).path
    (path / "am" / "final.mdl").write_bytes(b"damage")
    with pytest.raises(ModelError, match=r"am/final.mdl has 6 bytes, .*--force` restores it"):
        pull(entry)
    assert pull(entry, force=True).fresh
    assert verify(path) == "vosk"


def test_a_failed_replacement_leaves_the_old_model(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pull(entry).path
    rename = os.rename

    def refuse_new(source: Path, target: Path) -> None:
        if "staging" in str(source):
            raise PermissionError(13, "Permission denied", str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse_new)
    with pytest.raises(ModelError, match=f"{path}: Permission denied"):
        pull(entry, force=True)
    assert verify(path) == "vosk"


def test_two_pulls_of_one_model_at_once_are_refused(entry: Entry, installed: Path) -> None:
    installed.mkdir(parents=True)
    with (installed / f".{NAME}.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="is being pulled already"):
            pull(entry)
    assert pull(entry).fresh


def test_too_little_space_is_told_before_the_download(
    server: Any, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(TERABYTE, TERABYTE, 100))
    with pytest.raises(ModelError, match=r"no space for 0 MB in .*: free some"):
        pull(entry)
    assert server.requests == []


def test_too_little_space_to_unpack_keeps_the_download(
    server: Any, unhashed: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: _Usage(TERABYTE, TERABYTE, 100))
        with pytest.raises(ModelError, match="no space for the model in"):
            pull(unhashed)
    assert pull(unhashed).fresh
    assert len(server.requests) == 1


def test_a_data_folder_that_is_none_is_an_error(entry: Entry, home: Path) -> None:
    (home / "data").write_text("")
    with pytest.raises(ModelError, match=f"{NAME} can't be installed: .*data"):
        pull(entry)


@pytest.mark.parametrize("damage", ["removed", "longer", "changed"])
def test_a_file_damaged_after_the_pull_is_named(entry: Entry, damage: str) -> None:
    path = pull(entry).path / "graph" / "HCLr.fst"
    content = path.read_bytes()
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(content + b"!" if damage == "longer" else content[:-1] + b"!")
    with pytest.raises(ModelError, match=r"graph/HCLr.fst (is missing|has|is damaged)"):
        verify(path.parent.parent)


def test_a_damaged_manifest_is_named(entry: Entry) -> None:
    path = pull(entry).path
    (path / "intentd-manifest.json").write_text("{}")
    with pytest.raises(ModelError, match=r"intentd-manifest.json is damaged"):
        verify(path)
