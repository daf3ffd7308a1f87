"""Keys on disk: made once, readable by their owner only, never shown by mistake."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import zmq.auth
from command_line import CommandLine
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ConfigurationError
from pipeline.security.keys import KeyFolder, find_pair, find_public, key_problem, read_pair

SOMEBODY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
"""The key of ZeroMQ's own documentation."""


def test_a_key_pair_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    pair = folder.create("server")
    for path in (tmp_path / "keys").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert folder.own("server") == pair
    assert pair.secret not in repr(pair)


def test_zeromqs_own_tools_read_the_file(tmp_path: Path) -> None:
    pair = KeyFolder(tmp_path).create("server")
    public, secret = zmq.auth.load_certificate(tmp_path / "own" / "server.key")
    assert (public.decode(), (secret or b"").decode()) == (pair.public, pair.secret)


def test_a_key_pair_is_never_overwritten(tmp_path: Path) -> None:
    pair = KeyFolder(tmp_path).create("server")
    with pytest.raises(ConfigurationError, match="is there already"):
        KeyFolder(tmp_path).create("server")
    assert KeyFolder(tmp_path).own("server") == pair


def test_a_secret_that_others_can_read_is_refused_with_the_mend(tmp_path: Path) -> None:
    KeyFolder(tmp_path).create("server")
    path = tmp_path / "own" / "server.key"
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match=r"others can read .*0640.*chmod 600"):
        read_pair(path)


def test_allow_list_and_revoke(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    before = folder.fingerprint()
    peer = folder.allow("kitchen", SOMEBODY, ("audio",))
    assert folder.allowed() == [peer]
    assert peer.rights == ("audio",)
    assert folder.fingerprint() != before
    with pytest.raises(ConfigurationError, match="allowed already, as kitchen"):
        folder.allow("hall", SOMEBODY)
    assert folder.revoke(SOMEBODY) == peer
    assert folder.allowed() == []
    with pytest.raises(ConfigurationError, match=r"kitchen: no such key .*nobody"):
        folder.revoke("kitchen")


def test_a_broken_file_in_the_list_lets_nobody_in_and_the_others_still(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    peer = folder.allow("kitchen", SOMEBODY)
    (tmp_path / "allowed" / "hall.key").write_bytes(b"\xff\0" + SOMEBODY.encode())
    (tmp_path / "allowed" / "study.key").write_text('public-key = "short"\n')
    assert folder.allowed() == [peer]
    assert len(folder.broken()) == 2


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "a" * 41, "ü", "a\n"])
def test_a_name_that_would_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = KeyFolder(tmp_path / "keys")
    for action in (folder.create, folder.own, lambda n: folder.allow(n, SOMEBODY)):
        with pytest.raises(ConfigurationError, match="no name for a key"):
            action(name)


@given(st.text(max_size=60) | st.just(SOMEBODY).map(lambda key: key[:-1] + "\N{BULLET}"))
def test_no_text_but_a_key_is_a_key(text: str) -> None:
    if key_problem(text) is None:
        assert len(text) == 40


def test_keys_are_found_as_text_name_or_file(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    pair = folder.create("phone")
    path = str(tmp_path / "own" / "phone.key")
    assert find_public(pair.public) == find_public(path) == pair.public
    assert find_pair("phone", folder) == find_pair(path, KeyFolder(tmp_path / "x")) == pair
    with pytest.raises(ConfigurationError, match=r"no key .* and no file"):
        find_public("nonsense")


def test_the_command_makes_lists_allows_and_revokes(intentd: CommandLine, tmp_path: Path) -> None:
    folder = ("--dir", str(tmp_path / "keys"))
    made = intentd("keys", "new", *folder)
    assert made.returncode == 0
    public = made.stdout.strip()
    assert key_problem(public) is None
    assert intentd("keys", "allow", "phone", SOMEBODY, "--only", "events", *folder).returncode == 0
    listed = intentd("keys", "list", *folder)
    assert f"own      {public}  server" in listed.stdout
    assert f"allowed  {SOMEBODY}  phone  (events)" in listed.stdout
    secret = KeyFolder(tmp_path / "keys").own("server").secret
    assert secret not in made.stdout + listed.stdout + listed.stderr
    assert intentd("keys", "revoke", "phone", *folder).stdout == "phone: revoked\n"
    assert SOMEBODY not in intentd("keys", "list", *folder).stdout
    again = intentd("keys", "new", *folder)
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
