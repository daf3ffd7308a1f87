"""Paths that a user wrote."""

from __future__ import annotations

import os
from pathlib import Path

from models.errors import ConfigurationError


def expand(text: str | os.PathLike[str]) -> Path:
    """The path, with ``~`` and ``~user`` as home folders. Raises ConfigurationError."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigurationError(
            f"{text}: no such user, or no home folder; write the path from the root"
        ) from error
