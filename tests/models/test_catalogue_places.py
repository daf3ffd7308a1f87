"""The shipped catalogue, and how a name becomes a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from models.catalogue import find, load_catalogue, lookup, places, scan, verify
from models.errors import ModelError

pytestmark = pytest.mark.usefixtures("home")

OFFICIAL = {"vosk": "alphacephei.com", "mobilebert": "huggingface.co"}


def test_the_shipped_catalogue_names_official_sources_and_licences() -> None:
    catalogue = load_catalogue()
    assert {"vosk-model-small-en-us-0.15", "mobilebert-uncased"} <= catalogue.keys()
    for entry in catalogue.values():
        assert entry.licence == "Apache-2.0"
        for file in entry.files:
            assert urlsplit(file.url).hostname == OFFICIAL[entry.kind]
            assert file.url.startswith("https://")


def test_a_vosk_entry_is_one_archive_of_known_size() -> None:
    entry = lookup("vosk-model-small-en-us-0.15")
    assert entry.archive is not None
    assert entry.archive.name == "vosk-model-small-en-us-0.15.zip"
    assert entry.size == 41_205_931


def test_a_size_that_is_not_published_is_unknown() -> None:
    assert lookup("mobilebert-uncased").size is None


def test_an_unknown_name_gets_close_matches() -> None:
    with pytest.raises(ModelError, match=r"did you mean .*vosk-model-small-en-us-0.15"):
        lookup("vosk-small-en-us")
    with pytest.raises(ModelError, match="`intentd models list` shows all"):
        lookup("qqqq")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [{name: x}]", "missing required field"),
        ("models: [", "while parsing"),
        ("models: []\nmore: 1", "unknown field"),
        (
            "models: [{name: ../x, kind: vosk, language: en, licence: MIT, description: d,"
            " files: [{url: 'https://a/b.zip'}]}]",
            "models",
        ),
        (
            "models: [{name: x, kind: vosk, language: en, licence: MIT, description: d,"
            " files: [{url: 'https://a/..%2Fb'}]}]",
            "leaves the folder",
        ),
    ],
)
def test_a_wrong_catalogue_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    monkeypatch.setenv("INTENTD_CATALOGUE", str(path))
    with pytest.raises(ModelError, match=f"model catalogue {path}: .*{message}") as caught:
        load_catalogue()
    assert "\n" not in caught.value.message


def test_a_missing_catalogue_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTENTD_CATALOGUE", str(tmp_path / "none.yaml"))
    with pytest.raises(ModelError, match=r"none.yaml: No such file .* INTENTD_CATALOGUE"):
        load_catalogue()


def test_a_name_is_looked_for_in_the_promised_order(
    home: Path, tmp_path: Path, vosk_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "vosk-model-tiny-xx-0.1"
    monkeypatch.setattr(places, "EMBEDDED", tmp_path / "weights")
    monkeypatch.setenv("VOSK_MODEL_PATH", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    monkeypatch.chdir(tmp_path)
    folders = [
        home / ".cache" / "vosk",
        tmp_path / "two",
        tmp_path / "one",
        home / "data" / "intentd" / "models",
        tmp_path / "weights",
    ]
    with pytest.raises(ModelError):
        find(name)
    for folder in folders:
        shutil.copytree(vosk_folder, folder / name)
        assert find(name) == folder / name
    shutil.copytree(vosk_folder, tmp_path / name)
    assert find(name) == Path(name)
    assert find(vosk_folder) == vosk_folder


def test_a_model_to_pull_is_offered() -> None:
    with pytest.raises(ModelError, match="fetch it with `intentd models pull vosk-model-small-de"):
        find("vosk-model-small-de-0.15")


def test_a_misspelt_name_gets_what_there_is_and_a_close_match(
    vosk_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOSK_MODEL_PATH", str(vosk_folder.parent))
    with pytest.raises(ModelError) as caught:
        find("vosk-model-tiny-xx-0.2")
    assert "installed: " in caught.value.message
    assert "vosk-model-tiny-xx-0.1)" in caught.value.message
    assert "did you mean vosk-model-tiny-xx-0.1?" in caught.value.message


@pytest.mark.parametrize("text", ["./nowhere", "/no/where", "~/nowhere", ".."])
def test_a_path_is_never_taken_for_a_name(text: str) -> None:
    if text == "..":
        assert find(text) == Path("..")
        return
    with pytest.raises(ModelError, match="does not exist: correct the path"):
        find(text)


def test_an_archive_is_not_a_model_yet(vosk_zip: Path) -> None:
    with pytest.raises(ModelError, match=r"is a file: .* --from"):
        find(vosk_zip)


def test_every_shipped_model_is_whole() -> None:
    shipped = [model for model in scan() if model.place == "embedded"]
    assert {"vosk", "mobilebert"} <= {verify(model.path) for model in shipped}


def test_only_models_are_listed(home: Path, vosk_folder: Path) -> None:
    cache = home / ".cache" / "vosk"
    shutil.copytree(vosk_folder, cache / "vosk-model-tiny-xx-0.1")
    (cache / "notes").mkdir()
    (cache / ".hidden" / "am").mkdir(parents=True)
    others = [model for model in scan() if model.place != "embedded"]
    assert [(model.name, model.place) for model in others] == [("vosk-model-tiny-xx-0.1", "vosk")]
