"""Input for what decodes files."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path


@functools.cache
def scratch() -> Path:
    """A folder of this process for what is decoded from files, in memory where there is one."""
    memory = Path("/dev/shm")
    folder = memory if memory.is_dir() else None
    keep = tempfile.TemporaryDirectory(prefix="itd-fuzz-", dir=folder)
    _kept.append(keep)
    return Path(keep.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def written(data: bytes, name: str) -> Path:
    """A file of this content."""
    path = scratch() / name
    path.write_bytes(data)
    return path
