"""Where models lie on this machine, and how a name becomes a folder."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from models.catalogue.entries import load_catalogue
from models.catalogue.layout import kind_of
from models.errors import ModelError
from models.paths import expand

EMBEDDED = Path(__file__).resolve().parent.parent / "weights"
"""The models that ship with intentd."""

Place = Literal["embedded", "installed", "vosk"]
"""Ships with intentd; was pulled; belongs to another Vosk program (VOSK_MODEL_PATH, its cache)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """A model folder on this machine."""

    name: str
    """The folder's name, under which it is found."""

    path: Path
    """The folder."""

    place: Place
    """Whose it is."""


def pulled_models() -> Path:
    """The folder that pulled models are installed in (``$XDG_DATA_HOME/intentd/models``)."""
    return platformdirs.user_data_path("intentd", appauthor=False) / "models"


def scan() -> list[FoundModel]:
    """Every model folder on this machine, in the order in which ``find`` prefers them.

    Of several with one name only the first is given.
    """
    found: dict[str, FoundModel] = {}
    for place, directory in _places():
        for folder in _folders(directory):
            if _is_model(folder, place):
                model = FoundModel(name=folder.name, path=folder, place=place)
                found.setdefault(folder.name, model)
    return list(found.values())


def find(name_or_path: str | Path) -> Path:
    """Turn a model's name, or the path of its folder, into the folder.

    Looked for in this order: an existing path; the models that ship with intentd; pulled ones;
    the folders of ``$VOSK_MODEL_PATH``; ``~/.cache/vosk``. What the folder holds is not checked.

    Raises ModelError that says what there is and how to get what there isn't.
    """
    text = str(name_or_path)
    path = expand(text)
    if text and path.exists():
        if not path.is_dir():
            raise ModelError(
                f"model {text} is a file: give a folder, or install a downloaded archive with "
                f"`intentd models pull NAME --from {text}`"
            )
        return path
    if path.name != text:
        raise ModelError(f"model folder {text!r} does not exist: correct the path")
    for _, directory in _places():
        if (directory / text).is_dir():
            return directory / text
    raise ModelError(_not_found(text))


def _not_found(name: str) -> str:
    catalogue = load_catalogue()
    if name in catalogue:
        return f"model {name} is not installed: fetch it with `intentd models pull {name}`"
    installed = [model.name for model in scan()]
    known = list(dict.fromkeys([*installed, *catalogue]))
    close = difflib.get_close_matches(name, known, n=1)
    there = ", ".join(installed) or "none"
    hint = f"did you mean {close[0]}?" if close else "`intentd models list` shows all"
    return f"no model {name!r} (installed: {there}): {hint}"


def _places() -> Iterator[tuple[Place, Path]]:
    yield "embedded", EMBEDDED
    yield "installed", pulled_models()
    for directory in os.environ.get("VOSK_MODEL_PATH", "").split(os.pathsep):
        if directory:
            yield "vosk", expand(directory)
    yield "vosk", expand("~/.cache/vosk")


def _folders(directory: Path) -> list[Path]:
    try:
        return sorted(
            path for path in directory.iterdir() if path.is_dir() and path.name[0] not in "._"
        )
    except OSError:
        return []


def _is_model(folder: Path, place: Place) -> bool:
    # What shipped or was pulled is listed even when it is too damaged to be recognised, so that
    # `intentd models verify` names it.
    ours = place == "installed" or (place == "embedded" and (folder / "model.json").exists())
    return ours or kind_of(folder) is not None
