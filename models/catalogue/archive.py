"""Unpack a model's zip archive without trusting it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from models.errors import ModelError

# The largest official models have some dozens of files and 2–4 times the size of their archive.
MAX_FILES = 2_000
MAX_BYTES = 32 << 30
MAX_RATIO = 60
_SMALL = 16 << 20


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack ``archive`` into ``folder`` and return the model's folder: the only top folder, if so.

    Raises ModelError for what is no zip archive, is damaged, is a bomb, or has an entry that is a
    link, is encrypted, or would leave the folder; OSError where the disk refuses.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            entries = content.infolist()
            _check_amount(archive, entries, folder)
            for entry in entries:
                _unpack_entry(content, entry, folder / _inner_path(archive, entry))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ModelError(
            f"{archive} is no whole zip archive ({error}): download it anew"
        ) from error
    tops = [path for path in folder.iterdir() if path.name != "__MACOSX"]
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else folder


def _check_amount(archive: Path, entries: list[zipfile.ZipInfo], folder: Path) -> None:
    # zipfile never writes more of an entry than its declared size, so the declared sum is a bound.
    total = sum(entry.file_size for entry in entries)
    too_dense = total > max(_SMALL, MAX_RATIO * archive.stat().st_size)
    if len(entries) > MAX_FILES or total > MAX_BYTES or too_dense:
        raise ModelError(
            f"{archive} would unpack to {len(entries)} files and {total} bytes: refused as no model"
        )
    if total > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _inner_path(archive: Path, entry: zipfile.ZipInfo) -> PurePosixPath:
    path = PurePosixPath(entry.filename)
    unsafe = path.is_absolute() or ".." in path.parts or "\\" in entry.filename
    if unsafe or ":" in entry.filename or "\0" in entry.filename:
        raise ModelError(f"{archive} has the entry {entry.filename!r} outside its folder: refused")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ModelError(f"{archive} has the link {entry.filename!r}: refused")
    if entry.flag_bits & 0x1:
        raise ModelError(f"{archive} is encrypted: unpack it and pull with --from FOLDER")
    return path


def _unpack_entry(content: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with content.open(entry) as packed, target.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked, 1 << 20)
