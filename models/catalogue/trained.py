"""What was made from a domain file: numbered versions in one folder, and which one is in use.

::

    kitchen.trained/
      current            number of the version in use, as text
      base-1f2e3d4c/     the base that the heads of the versions sit on
      3/                 an understander (a language model's folder) with trained.json
      3/grammar/         a compiled grammar for a speech model, if one was made
      work/              what a run that was broken off goes on from

A version appears whole, and ``current`` is replaced in one step: who reads at any moment finds
the old one or the new one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import msgspec

from models.errors import ModelError

SUFFIX = ".trained"
KEPT = 3
"""Versions that stay, the one in use among them."""

_CURRENT = "current"
_FACTS = "trained.json"


class TrainedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """``trained.json``: from what a version was made, and how well it does."""

    format: int = 1
    domain: str
    number: int
    mode: str
    """``fast`` or ``full``."""

    recipe: str
    """Hash of all that the heads depend on: what may be said, but not the values of lists."""

    content: str
    """Hash of the domain's files."""

    base: str
    """Hash of the base's network."""

    speech: str | None = None
    """Hash of all that the grammar depends on; None without one."""

    scores: dict[str, float] = {}
    """Shares in [0, 1] by name."""


class Trained:
    """The folder of one domain."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def work(self) -> Path:
        """Where a run keeps what it has done so far."""
        return self.root / "work"

    @property
    def version(self) -> Path | None:
        """The version in use; None if none is.

        Raises ModelError where ``current`` names one that is not there.
        """
        try:
            number = (self.root / _CURRENT).read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{self.root / _CURRENT} can't be read: {error}") from None
        folder = self.root / number
        if not number.isdecimal() or not (folder / _FACTS).is_file():
            raise ModelError(
                f"{self.root / _CURRENT} names version {number!r}, which is not there: train again"
            )
        return folder

    @property
    def grammar(self) -> Path | None:
        """The grammar of the version in use."""
        folder = self.version
        grammar = folder / "grammar" if folder else None
        return grammar if grammar and grammar.is_dir() else None

    def facts(self) -> TrainedFacts | None:
        """What is known of the version in use. Raises ModelError."""
        folder = self.version
        if folder is None:
            return None
        try:
            return msgspec.json.decode((folder / _FACTS).read_bytes(), type=TrainedFacts)
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(f"{folder / _FACTS} can't be read: {error}: train again") from None

    def next_number(self) -> int:
        """The number of the next version."""
        return max(self._numbers(), default=0) + 1

    def publish(self, folder: Path, facts: TrainedFacts) -> Path:
        """Make ``folder``, which must lie below ``root``, the version in use; returns its place.

        Older versions are removed, but for the last few.
        """
        (folder / _FACTS).write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=1))
        target = self.root / str(facts.number)
        folder.rename(target)
        pointer = self.root / f".{_CURRENT}"
        pointer.write_text(f"{facts.number}\n", encoding="utf-8")
        pointer.replace(self.root / _CURRENT)
        for number in sorted(self._numbers())[:-KEPT]:
            if number != facts.number:
                shutil.rmtree(self.root / str(number), ignore_errors=True)
        return target

    def keep_base(self, base: Path, digest: str) -> str:
        """Copy a base beside the versions; returns its name for ``labels.json``.

        A newer intentd may bring another base: heads fit only the one that they were made for.
        """
        name = f"base-{digest[:8]}"
        target = self.root / name
        if not target.is_dir():
            making = self.root / f".{name}"
            shutil.rmtree(making, ignore_errors=True)
            shutil.copytree(base, making)
            making.rename(target)
        return name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one run. Raises ModelError if it can't be made or another runs."""
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ModelError(
                f"{self.root} can't be written: {error.strerror}; name another place with --out"
            ) from None
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except OSError:
            os.close(handle)
            raise ModelError(f"{self.root} is being trained by another intentd: wait") from None
        try:
            yield
        finally:
            os.close(handle)

    def _numbers(self) -> list[int]:
        try:
            return [int(path.name) for path in self.root.iterdir() if path.name.isdecimal()]
        except FileNotFoundError:
            return []
