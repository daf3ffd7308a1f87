"""Find a model in what the user copied to this machine (``--from``)."""

from __future__ import annotations

from pathlib import Path

from models.catalogue.entries import Entry
from models.catalogue.layout import kind_of
from models.catalogue.verification import verify
from models.errors import ModelError


def local_copy(entry: Entry, source: Path) -> Path | list[Path]:
    """The model's folder, or its files in the entry's order, in ``source``.

    ``source`` is the folder itself, the archive, or a folder that holds either; a folder that
    an intentd on another machine pulled is compared with its manifest. Raises ModelError.
    """
    if not source.exists():
        raise ModelError(f"{source} does not exist: give --from a folder or a file that does")
    for folder in (source, source / entry.name):
        if folder.is_dir() and kind_of(folder) == entry.kind:
            verify(folder)
            return folder
    if source.is_file() and len(entry.files) == 1:
        return [source]
    files = [source / file.name for file in entry.files]
    if source.is_dir() and all(path.is_file() for path in files):
        return files
    names = ", ".join(file.name for file in entry.files)
    raise ModelError(f"{source} has no {entry.name}: give its folder, or one with {names}")
