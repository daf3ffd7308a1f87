"""Shared fixtures: where the test data lies, and how a missing system program is treated."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["daemon_fixtures", "virtual_microphone"]

ROOT = Path(__file__).resolve().parent.parent
"""The project's root."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose system program is missing, or fail it where everything is required."""
    for marker in item.iter_markers("needs"):
        program, package = marker.args
        if shutil.which(program):
            continue
        reason = f"needs {program}: install the package {package}"
        if os.environ.get("INTENTD_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private XDG_RUNTIME_DIR and XDG_STATE_HOME: a test never meets a daemon of the user's.

    Sockets need short paths, which pytest's own temporary folders are not.
    """
    with tempfile.TemporaryDirectory(prefix="itd-") as path:
        monkeypatch.setenv("XDG_RUNTIME_DIR", path)
        monkeypatch.setenv("XDG_STATE_HOME", f"{path}/state")
        yield Path(path)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the keys of the user who runs it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of the shipped recordings: coffee and home."""
    return ROOT / "tests" / "replays"
