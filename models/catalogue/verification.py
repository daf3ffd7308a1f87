"""Is a model whole, and is a download the right one?"""

from __future__ import annotations

from pathlib import Path

from models.catalogue.entries import Entry, RemoteFile
from models.catalogue.layout import FolderKind, check_layout
from models.catalogue.manifest import FileRecord, file_hash, read_manifest, read_pins
from models.errors import ModelError


def verify(folder: Path) -> FolderKind:
    """Check a model folder thoroughly and return its kind.

    The layout is checked for every model; a pulled one is also compared with the manifest of its
    pull, which reads every byte. Raises ModelError that names the first file at fault.
    """
    manifest = read_manifest(folder)
    if manifest is not None:
        for name, record in manifest.files.items():
            _compare(folder / name, record, manifest.name)
    return check_layout(folder)


def checked_pins(entry: Entry, files: list[Path], pin_file: Path) -> dict[str, str]:
    """Compare the entry's files with their published hashes and with the pins.

    Returns the pins (SHA-256 by file name), those of new files included. A pin decides only where
    no SHA-256 is published. Raises ModelError for a file that is not the right one.
    """
    pins = read_pins(pin_file)
    for file, path in zip(entry.files, files, strict=True):
        _check_published(file, path)
        fresh = file_hash(path)
        pinned = pins.setdefault(file.name, fresh)
        if file.sha256 is None and fresh != pinned:
            raise ModelError(
                f"{path.name} differs from the first pull (SHA-256 {fresh}, pinned {pinned}): "
                f"refused; remove {pin_file} if the new file is to be trusted"
            )
    return pins


def check_published(entry: Entry, folder: Path) -> None:
    """Compare a model folder with the published hashes of its files; an archive's say nothing."""
    for file in entry.files:
        if entry.archive is None and (folder / file.name).exists():
            _check_published(file, folder / file.name)


def _check_published(file: RemoteFile, path: Path) -> None:
    for algorithm, published in (("sha256", file.sha256), ("md5", file.md5)):
        if published is None:
            continue
        actual = file_hash(path, algorithm)
        if actual != published:
            raise ModelError(
                f"{path.name} has the {algorithm} {actual}, not {published} as published: refused; "
                "pull again, or get it from another source"
            )


def _compare(path: Path, record: FileRecord, model: str) -> None:
    mend = f"`intentd models pull {model} --force` restores it"
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ModelError(f"{path} is missing: {mend}") from error
    if size != record.size:
        raise ModelError(f"{path} has {size} bytes, not {record.size} as when pulled: {mend}")
    if file_hash(path) != record.sha256:
        raise ModelError(f"{path} is damaged, its SHA-256 differs from when it was pulled: {mend}")
