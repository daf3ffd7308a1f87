"""CurveZMQ keys on disk: a machine's own key pairs and the public keys of those it lets in.

A key file is a ZeroMQ certificate (RFC 4/ZPL, as CZMQ and pyzmq write it), so that programs in
other languages can use it. Own pairs lie in ``FOLDER/own/NAME.key``, allowed public keys in
``FOLDER/allowed/NAME.key``; everything has mode 0600, the folders 0700.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import zmq
from zmq.utils import z85

from models.errors import ConfigurationError
from models.paths import expand

KEY_LENGTH: Final = 40
"""Characters of a key of 32 bytes in Z85 (ZeroMQ RFC 32)."""

MAX_FILE_BYTES: Final = 4096
"""A key file is some 200 bytes; what is larger is none."""

Right = Literal["events", "audio"]
"""What an allowed key may do: subscribe to events, send audio."""

RIGHTS: Final[tuple[Right, ...]] = ("events", "audio")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z")
_LINE = re.compile(r"^\s*([a-z-]+)\s*=\s*\"?([^\"\n]*?)\"?\s*$")


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """A CurveZMQ key pair, each half as 40 characters of Z85."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public!r})"  # the other half is nobody's business


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Somebody who is let in."""

    name: str
    public: str
    rights: tuple[Right, ...] = RIGHTS


def default_folder() -> Path:
    """Where keys are when nobody says otherwise: the user's configuration folder."""
    import platformdirs  # clients without a key need only pyzmq and msgspec

    return platformdirs.user_config_path("intentd") / "keys"


class KeyFolder:
    """The keys of one folder. All methods raise ConfigurationError with the file and the mend."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_folder()
        self._own = self.path / "own"
        self._allowed = self.path / "allowed"

    def create(self, name: str) -> KeyPair:
        """Make a key pair; an existing one is never overwritten."""
        path = self._own / f"{_checked(name)}.key"
        public, secret = zmq.curve_keypair()
        while not public[:1].isalnum():  # a key that begins with - looks like an option
            public, secret = zmq.curve_keypair()
        pair = KeyPair(public=public.decode(), secret=secret.decode())
        _write(path, f'    public-key = "{pair.public}"\n    secret-key = "{pair.secret}"\n', name)
        return pair

    def own(self, name: str) -> KeyPair:
        """The key pair called ``name``."""
        path = self._own / f"{_checked(name)}.key"
        if not path.is_file():
            raise ConfigurationError(
                f"{path}: there is no key called {name}; make it with: intentd keys new {name}",
                code="no-key",
            )
        return read_pair(path)

    def own_names(self) -> list[str]:
        """Names of the key pairs."""
        return sorted(path.stem for path in self._own.glob("*.key"))

    def allow(self, name: str, public: str, rights: tuple[Right, ...] = RIGHTS) -> Peer:
        """Let the holder of the key ``public`` in, and call it ``name``."""
        problem = key_problem(public)
        if problem:
            raise ConfigurationError(f"{problem}; copy it from `intentd keys list` over there")
        for peer in self.allowed():
            if peer.public == public:
                raise ConfigurationError(f"this key is allowed already, as {peer.name}")
        path = self._allowed / f"{_checked(name)}.key"
        _write(path, f'    public-key = "{public}"\n    may = "{" ".join(rights)}"\n', name)
        return Peer(name=name, public=public, rights=rights)

    def revoke(self, name_or_key: str) -> Peer:
        """Let somebody in no longer; open connections of a running daemon end at once."""
        for peer in self.allowed():
            if name_or_key in (peer.name, peer.public):
                (self._allowed / f"{peer.name}.key").unlink(missing_ok=True)
                return peer
        names = ", ".join(peer.name for peer in self.allowed()) or "nobody"
        raise ConfigurationError(
            f"{name_or_key}: no such key is allowed in {self._allowed} (allowed: {names})"
        )

    def allowed(self) -> list[Peer]:
        """Everybody who is let in, by name. A broken file lets nobody in and is skipped."""
        return list(self._peers())

    def broken(self) -> list[str]:
        """What is wrong with files of the list of allowed keys, a line for each."""
        problems = []
        for path in sorted(self._allowed.glob("*.key")):
            try:
                _read_peer(path)
            except ConfigurationError as error:
                problems.append(error.message)
        return problems

    def fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        """Changes when somebody is allowed or revoked."""
        try:
            entries = sorted(os.scandir(self._allowed), key=lambda entry: entry.name)
            return tuple((e.name, e.stat().st_mtime_ns, e.stat().st_size) for e in entries)
        except OSError:
            return ()

    def _peers(self) -> Iterator[Peer]:
        for path in sorted(self._allowed.glob("*.key")):
            try:
                yield _read_peer(path)
            except ConfigurationError:
                continue


def key_problem(key: str) -> str | None:
    """Why a text is no key, or None."""
    try:
        if len(key) == KEY_LENGTH and len(z85.decode(key.encode("ascii"))) == 32:
            return None
    except (ValueError, KeyError, struct.error):
        pass
    return f"{key[:KEY_LENGTH]!r} is no key ({KEY_LENGTH} characters of Z85)"


def read_pair(path: Path) -> KeyPair:
    """The key pair in a file, which nobody else may be able to read."""
    values = _parse(_read(path), path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigurationError(
            f"{path}: others can read this secret key (mode {mode:04o}); "
            f"run: chmod 600 {path}, or make a new one if they did",
            code="bad-key",
        )
    if "secret-key" not in values:
        raise ConfigurationError(f"{path}: holds no secret key", code="bad-key")
    return KeyPair(public=values["public-key"], secret=values["secret-key"])


def find_pair(name_or_path: str, folder: KeyFolder) -> KeyPair:
    """A key pair by its name in ``folder``, or by the path of its file."""
    path = expand(name_or_path)
    if path.is_file():
        return read_pair(path)
    return folder.own(name_or_path)


def find_public(key_or_path: str) -> str:
    """A public key as it is, or out of a file."""
    if key_problem(key_or_path) is None:
        return key_or_path
    path = expand(key_or_path)
    if not path.is_file():
        problem = key_problem(key_or_path)
        raise ConfigurationError(f"{problem}, and no file is called so", code="bad-key")
    return _parse(_read(path), path)["public-key"]


def parse_certificate(text: str) -> dict[str, str]:
    """The values in a ZeroMQ certificate. Raises ValueError for anything else."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and not line.lstrip().startswith("#"):
            values.setdefault(match.group(1), match.group(2))
    for key in ("public-key", "secret-key"):
        if key == "public-key" or key in values:
            problem = key_problem(values.get(key, ""))
            if problem:
                # The key itself is not told: it might be the secret half.
                raise ValueError(f"its {key} is missing or damaged")
    return values


def _parse(text: str, path: Path) -> dict[str, str]:
    try:
        return parse_certificate(text)
    except ValueError as error:
        raise ConfigurationError(f"{path}: is no key file: {error}", code="bad-key") from None


def _read_peer(path: Path) -> Peer:
    values = _parse(_read(path), path)
    rights = tuple(right for right in RIGHTS if right in values.get("may", "").split())
    return Peer(name=_checked(path.stem), public=values["public-key"], rights=rights)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"{path}: can't be read: {reason}", code="bad-key") from None


def _write(path: Path, values: str, name: str) -> None:
    try:
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whole or not at all: a daemon may be looking.
        fresh = path.with_suffix(f".{os.getpid()}.new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"#   ZeroMQ CURVE certificate of intentd\nmetadata\n    name = {name}\n")
            file.write(f"curve\n{values}")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        finally:
            fresh.unlink()
    except FileExistsError:
        raise ConfigurationError(
            f"{path}: is there already; choose another name, or remove it first"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{path}: can't be written: {error.strerror}; choose another folder with --dir"
        ) from None


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise ConfigurationError(
            f"{name!r} is no name for a key: use letters, digits, - and _, at most 40 characters"
        )
    return name
