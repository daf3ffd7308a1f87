"""Where the sockets of one daemon are, and the lock that keeps a second daemon away from them."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import Final

from models.errors import TransportError

MAX_IPC_PATH: Final = 107
"""Longest path of a Unix socket (``sun_path`` less its closing zero, Linux)."""

LEAVING_SECONDS: Final = 8.0
"""How long the workers of a daemon that was killed may take to leave."""

_LONGEST_NAME: Final = 56
"""Room that is kept for the longest socket name in the directory."""


def default_directory() -> Path:
    """``$XDG_RUNTIME_DIR/intentd``, else a folder of the user's own below the system's temporary
    one."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "intentd"
    return Path(tempfile.gettempdir()) / f"intentd-{os.getuid()}"


def fits_sockets(directory: Path) -> bool:
    """True when the paths of all sockets in ``directory`` are short enough."""
    return len(os.fsencode(directory)) + _LONGEST_NAME <= MAX_IPC_PATH


def events_endpoint(directory: Path | None = None) -> str:
    """Where a daemon publishes its events."""
    return f"ipc://{(directory or default_directory()) / 'events'}"


class SocketDirectory:
    """A directory of the user's own for sockets, mode 0700, held by a lock.

    A Unix socket can be stolen silently by a second bind; the lock is what refuses a second
    daemon. Raises TransportError when the path is too long, belongs to somebody else, or is
    locked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1

    def __enter__(self) -> SocketDirectory:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Make the directory and take its lock."""
        if not fits_sockets(self.path):
            raise TransportError(
                f"{self.path}: too long a path for sockets "
                f"(at most {MAX_IPC_PATH - _LONGEST_NAME} bytes); set XDG_RUNTIME_DIR to a "
                "shorter one",
                code="path-too-long",
            )
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_owner()
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._lock_file(lock)
        except OSError as error:
            os.close(lock)
            raise TransportError(
                f"{self.path}: another intentd runs here; stop it first, or set XDG_RUNTIME_DIR "
                "to another folder",
                code="already-running",
            ) from error
        self._lock = lock
        try:
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        except OSError as error:
            self.release()
            raise self._unusable(error) from error

    @property
    def lock(self) -> int:
        """The descriptor that holds the lock. Workers inherit it, and so keep the sockets of a
        daemon that was killed from one that follows, until they have left too."""
        return self._lock

    def _lock_file(self, lock: int) -> None:
        """Raises OSError when another daemon holds it; waits for the rest of a dead one."""
        deadline = time.monotonic() + LEAVING_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if _holder_lives(lock) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def release(self) -> None:
        """Remove the sockets and give the lock back."""
        if self._lock < 0:
            return
        for entry in self.path.iterdir():
            if stat.S_ISSOCK(entry.lstat().st_mode):
                entry.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = -1

    def _unusable(self, error: OSError) -> TransportError:
        return TransportError(
            f"{self.path}: can't be used for sockets: {error.strerror}; set XDG_RUNTIME_DIR to a "
            "folder of yours on a disk with room"
        )

    def _check_owner(self) -> None:
        status = self.path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise TransportError(
                f"{self.path}: is not a folder of yours; remove it or set XDG_RUNTIME_DIR",
                code="not-yours",
            )
        if stat.S_IMODE(status.st_mode) & 0o077:
            self.path.chmod(0o700)


def _holder_lives(lock: int) -> bool:
    """True when the process that wrote its number into the lock file is alive."""
    try:
        os.kill(int(os.pread(lock, 20, 0)), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True


class Addresses:
    """Endpoints of one daemon's inner sockets, by the name of what binds them."""

    def __init__(self, directory: Path, *, threads: bool) -> None:
        self.directory = directory
        self.threads = threads

    def inner(self, name: str) -> str:
        """Endpoint between workers: inproc when they are threads of one process."""
        if self.threads:
            return f"inproc://intentd/{name}"
        return f"ipc://{self.directory / name}"

    @property
    def workers(self) -> str:
        """Where workers report to the daemon."""
        return self.inner("workers")

    @property
    def control(self) -> str:
        """Where the command line talks to the daemon."""
        return f"ipc://{self.directory / 'control'}"

    @property
    def events(self) -> str:
        """Where events are published."""
        return events_endpoint(self.directory)
