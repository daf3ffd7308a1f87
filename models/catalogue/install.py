"""Install models of the catalogue: download or take a copy, verify, move into place.

Below the folder of pulled models lie ``NAME/`` (installed, whole), ``.partial/NAME/`` (work in
progress), ``.pins/NAME.json`` (hashes of first pulls) and ``.NAME.lock``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.catalogue.archive import unpack
from models.catalogue.download import Progress, Retries, disk_full, download
from models.catalogue.entries import Entry
from models.catalogue.layout import check_layout
from models.catalogue.local import local_copy
from models.catalogue.manifest import write_manifest, write_pins
from models.catalogue.places import pulled_models, scan
from models.catalogue.verification import check_published, checked_pins, verify
from models.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Where a model is, and whether this call put it there."""

    path: Path
    """The model's folder."""

    fresh: bool
    """False where the model was installed already."""


def pull(
    entry: Entry,
    *,
    source: Path | None = None,
    force: bool = False,
    progress: Progress = lambda _done, _total: None,
    retries: Retries | None = None,
) -> Installed:
    """Install a model of the catalogue, from its URLs or from a local copy.

    ``source`` is the model's folder, its archive, or a folder that holds either; nothing is
    fetched then. ``force`` replaces an installed model. ``progress`` gets bytes done and in all.

    A model that is installed already is verified and left alone. Nothing becomes visible under
    the model's name before it is complete, has the right hashes and the layout of its kind.

    Raises ModelError.
    """
    job = _Job(entry, pulled_models())
    try:
        job.root.mkdir(parents=True, exist_ok=True)
        with _lock(job.root / f".{entry.name}.lock", entry.name):
            existing = None if force else _existing(entry)
            if existing is not None:
                return Installed(path=existing, fresh=False)
            job.clear_staging()
            if source is None:
                files = job.download(progress, retries)
                job.install(files, [file.url for file in entry.files])
            else:
                job.install(local_copy(entry, source), [str(source)])
    except OSError as error:
        shutil.rmtree(job.staging, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(job.root, entry.size) from error
        where = error.filename or job.root
        raise ModelError(
            f"{entry.name} can't be installed: {where}: {error.strerror}; mend that and pull again"
        ) from error
    return Installed(path=job.target, fresh=True)


def _existing(entry: Entry) -> Path | None:
    for model in scan():
        if model.name == entry.name:
            verify(model.path)
            return model.path
    return None


@contextlib.contextmanager
def _lock(path: Path, name: str) -> Iterator[None]:
    # The file stays: removing it would let a third process lock a new file beside the old one.
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError(f"{name} is being pulled already: wait for that to end") from error
        yield


class _Job:
    """The folders of one installation, and its steps."""

    def __init__(self, entry: Entry, root: Path) -> None:
        self.entry = entry
        self.root = root
        self.target = root / entry.name
        self.work = root / ".partial" / entry.name
        self.staging = self.work / "staging"
        self.pin_file = root / ".pins" / f"{entry.name}.json"

    def clear_staging(self) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True)

    def download(self, progress: Progress, retries: Retries | None) -> list[Path]:
        """Fetch the files into ``work``; what is there from an interrupted pull is used."""
        entry, earlier = self.entry, 0
        there = sum(path.stat().st_size for path in self.work.iterdir() if path.is_file())
        if entry.size is not None and entry.size - there > shutil.disk_usage(self.work).free:
            raise disk_full(self.root, entry.size)
        targets = [self.work / file.name for file in entry.files]

        def report(done: int, total: int | None) -> None:
            progress(earlier + done, total if len(targets) == 1 else entry.size)

        for file, target in zip(entry.files, targets, strict=True):
            if not target.exists():
                download(file.url, target, size=file.size, progress=report, retries=retries)
            earlier += target.stat().st_size
        return targets

    def install(self, content: Path | list[Path], sources: list[str]) -> None:
        """Verify a model folder, or the entry's files, and move the model into place.

        What is refused is removed, downloads included, so that the next pull starts afresh.
        """
        try:
            pins, folder = None, self.staging
            if isinstance(content, Path):
                self._check_apart(content)
                check_published(self.entry, content)
                shutil.copytree(content, self.staging, dirs_exist_ok=True)
            else:
                pins = checked_pins(self.entry, content, self.pin_file)
                folder = self._stage(content)
            kind = check_layout(folder)
            if kind != self.entry.kind:
                raise ModelError(
                    f"{self.entry.name} should be {self.entry.kind}, is {kind}: refused"
                )
            write_manifest(folder, self.entry, sources)
        except ModelError:
            shutil.rmtree(self.work)
            raise
        if pins is not None:
            write_pins(self.pin_file, pins)
        self._move_into_place(folder)
        shutil.rmtree(self.work)

    def _check_apart(self, folder: Path) -> None:
        if self.root.resolve().is_relative_to(folder.resolve()):
            raise ModelError(f"{folder} holds {self.root}, which a copy would fill without end")

    def _stage(self, files: list[Path]) -> Path:
        if self.entry.archive is not None:
            return unpack(files[0], self.staging)
        for path in files:
            if path.parent == self.work:
                os.rename(path, self.staging / path.name)
            else:
                shutil.copy(path, self.staging / path.name)
        return self.staging

    def _move_into_place(self, folder: Path) -> None:
        """Rename the finished folder; an older one is put aside first, and back on an error."""
        old = self.work / "old"
        shutil.rmtree(old, ignore_errors=True)
        if self.target.exists():
            os.rename(self.target, old)
        try:
            os.rename(folder, self.target)
        except OSError:
            if old.exists():
                os.rename(old, self.target)
            raise
