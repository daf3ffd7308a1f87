"""From what a user types to a list of recordings: files, folders, patterns and ``-``."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable

from models.errors import SourceError

STANDARD_INPUT = "-"

AUDIO_SUFFIXES = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"})
"""Which files of a folder are recordings."""


def expand(paths: Iterable[str]) -> list[str]:
    """Files for each path, in order: a folder gives the recordings in and below it, sorted by
    path, and a pattern (``*``, ``?``, ``[...]``, ``**``) those that match it.

    Whether a file can be read is not looked at. Raises SourceError for the first path that
    gives no file.
    """
    return [file for path in paths for file in expand_path(path)]


def expand_path(path: str) -> list[str]:
    """Like ``expand``, for one path."""
    if path == STANDARD_INPUT:
        return [path]
    if os.path.isdir(path):
        return _recordings_below(path)
    if not os.path.lexists(path) and glob.has_magic(path):
        return _matching(path)
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    return [path]


def unreadable(path: str, error: OSError | ValueError) -> SourceError:
    """The error for a file that the system won't give us."""
    name = shown(path)
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{name}: there is no such file; check the path")
    if isinstance(error, PermissionError):
        return SourceError(f"{name}: permission denied; make it readable, e.g. with chmod +r")
    if isinstance(error, OSError):
        return SourceError(f"{name}: can't be read ({error.strerror}); check the disk or copy it")
    return SourceError(f"{name}: not a possible path ({error}); check the path")


def as_given(path: str) -> str:
    """The path for events: as the user gave it, or escaped where it is no Unicode."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return shown(path)
    return path


def shown(path: str) -> str:
    """The path as one line of valid Unicode, for messages and events."""
    if path.isprintable():
        return path
    return path.encode("utf-8", "backslashreplace").decode().encode("unicode_escape").decode()


def is_recording(path: str) -> bool:
    """True if the name says that the file is audio."""
    return os.path.splitext(path)[1].lower() in AUDIO_SUFFIXES


def _recordings_below(folder: str) -> list[str]:
    found = [
        os.path.join(parent, file)
        for parent, _, files in os.walk(folder)
        for file in files
        if is_recording(file) and not file.startswith(".")
    ]
    if not found:
        raise SourceError(
            f"{shown(folder)}: no recordings in this folder; "
            f"name one that holds WAV, FLAC, OGG or MP3 files"
        )
    return sorted(found)


def _matching(pattern: str) -> list[str]:
    files = sorted(file for file in glob.glob(pattern, recursive=True) if os.path.isfile(file))
    # A pattern may well match the labels that lie beside the recordings; one that matches only
    # files of other names means them.
    found = [file for file in files if is_recording(file)] or files
    if not found:
        raise SourceError(f"{shown(pattern)}: no file matches; check the pattern and its quotes")
    return found
