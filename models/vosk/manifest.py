"""What a folder of weights is: ``model.json`` beside its files."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.errors import ModelError

FILE_NAME = "model.json"


class ModelManifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Name and version of a model or grammar, and what a grammar was made for."""

    name: str
    version: int
    language: str

    base: str | None = None
    """Id of the model that a grammar was made for: ``vosk-en-starter@2``."""

    base_words: str | None = None
    """SHA-256 of the ``words.txt`` of that model, for a grammar over its words."""

    base_phones: str | None = None
    """SHA-256 of the ``phones.txt`` of that model, for a grammar with words of its own."""

    domain: str | None = None
    """Name of the domain whose sentences a grammar holds."""

    licence: str | None = None

    @property
    def id(self) -> str:
        """Name and version as events show them: ``vosk-en-starter@2``."""
        return f"{self.name}@{self.version}"

    def write(self, folder: Path) -> None:
        """Write ``model.json`` into ``folder``."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=2)
        (folder / FILE_NAME).write_bytes(text + b"\n")


def read_manifest(folder: Path) -> ModelManifest | None:
    """The manifest of ``folder``, or None if it has none, as models from elsewhere.

    Raises ModelError if the file is there but is no manifest.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=ModelManifest)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{path} is not a model's manifest: {error}") from None


def model_id(folder: Path) -> str:
    """Id of the model in ``folder`` for events; the folder's name if it has no manifest."""
    manifest = read_manifest(folder)
    return manifest.id if manifest else folder.resolve().name
