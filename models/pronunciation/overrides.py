"""Files of a user's own pronunciations: ``WORD PHONE PHONE …``, one a line, ``#`` for comments.

A word on several lines has several pronunciations.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from models.errors import ModelError
from models.pronunciation.phones import Phones, parse_phones

HEADER = "# How words are spoken, in phones of the CMU dictionary: WORD PHONE PHONE ...\n"

_WORD = re.compile(r"[^\s#]+")


def pronunciations_beside(domain: Path) -> Path:
    """Where the pronunciations for a domain file are kept: ``my.pronunciations.txt``."""
    return domain.with_name(f"{domain.stem}.pronunciations.txt")


def read_pronunciations(path: Path) -> dict[str, tuple[Phones, ...]]:
    """Pronunciations by word. Raises ModelError that names file, line and what is wrong."""
    found: dict[str, dict[Phones, None]] = {}
    for number, line in enumerate(_read(path).splitlines(), start=1):
        word, *phones = line.split("#")[0].split() or [""]
        if word:
            where = f"{path}:{number}: {word}"
            found.setdefault(word.lower(), {})[parse_phones(phones, where)] = None
    return {word: tuple(ways) for word, ways in found.items()}


def set_pronunciation(path: Path, word: str, ways: Iterable[Phones]) -> None:
    """Write the pronunciations of ``word``, in place of those that the file has; atomically.

    The file is made if it is missing; its comments and other words stay. Raises ModelError.
    """
    if not _WORD.fullmatch(word):
        raise ModelError(f'"{word}" is not one word: give each word its own pronunciation')
    lines = _read(path).splitlines(keepends=True) if path.exists() else [HEADER]
    kept = [line for line in lines if (line.split("#")[0].split() or [""])[0].lower() != word]
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    kept += [f"{word} {' '.join(phones)}\n" for phones in dict.fromkeys(ways)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(kept)
        Path(temporary).replace(path)
    except OSError as error:
        raise ModelError(f"{path} can't be written: {error.strerror}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path} is not UTF-8 text: save it so") from None
