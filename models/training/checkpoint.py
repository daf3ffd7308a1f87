"""The state of a run on disk, whole at any moment.

A state is written beside the old one and takes its place by renaming, so that a run that is
killed while it writes goes on from the old one.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import torch

from models.errors import ModelError

FORMAT: Final = 1


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state atomically; raises OSError (and keeps the old one) if it can't."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_state(path: Path) -> dict[str, Any]:
    """What ``write_state`` wrote. Raises ModelError naming the file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"the checkpoint {path} can't be read: {error.strerror}") from None
    except (RuntimeError, pickle.UnpicklingError, BadZipFile, EOFError, ValueError):
        raise ModelError(f"{path} is not a checkpoint, or damaged: delete it") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ModelError(f"{path} is not a checkpoint of this version of the training")
    return state
