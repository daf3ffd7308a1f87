"""What was pulled, file by file, so that damage is found and named later.

The manifest is written into a model's folder at pull time. The pin of a download whose hash
nobody publishes lies beside the folders, so that it outlives a removed model.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from models.catalogue.entries import Entry, Kind
from models.errors import ModelError

MANIFEST = "intentd-manifest.json"
"""Name of the manifest in a pulled model's folder."""


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was when it was pulled."""

    size: int
    """Bytes."""

    sha256: str
    """In hexadecimal."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one pull."""

    name: str
    kind: Kind
    language: str
    licence: str
    sources: list[str]
    """URLs or local paths that the files came from."""

    pulled: str
    """When, ISO 8601 in UTC."""

    files: dict[str, FileRecord]
    """By path relative to the folder, with forward slashes."""


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """The hexadecimal hash of a file; raises ModelError where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(
                file, lambda: hashlib.new(algorithm, usedforsecurity=False)
            ).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}; pull the model anew") from error


def write_manifest(folder: Path, entry: Entry, sources: list[str]) -> None:
    """Record every file of ``folder``. Raises OSError where the disk refuses."""
    files = {
        path.relative_to(folder).as_posix(): FileRecord(
            size=path.stat().st_size, sha256=file_hash(path)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    manifest = Manifest(
        name=entry.name,
        kind=entry.kind,
        language=entry.language,
        licence=entry.licence,
        sources=sources,
        pulled=datetime.now(UTC).isoformat(timespec="seconds"),
        files=files,
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (folder / MANIFEST).write_bytes(encoded)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a pulled model; None for a folder that intentd didn't pull."""
    path = folder / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(
            f"{path} can't be read: {error.strerror}; check its permissions"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is damaged ({error}): pull the model anew") from error


def read_pins(path: Path) -> dict[str, str]:
    """SHA-256 of earlier downloads by file name; empty before the first pull."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(
            f"{path} can't be read: {error.strerror}; check its permissions"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is damaged ({error}): remove it to pin anew") from error


def write_pins(path: Path, pins: dict[str, str]) -> None:
    """Store the pins so that a crash leaves the old or the new file. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(pins))
    os.replace(fresh, path)
