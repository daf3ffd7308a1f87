"""A virtual environment of its own for each peer: their dependencies fit neither ours nor each
other's."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".venv-peers"
SCRIPTS = Path(__file__).parent / "scripts"

PATIENCE = 900.0
"""Seconds that pip may take."""


class NotInstallable(Exception):  # noqa: N818 - a finding that is told, no fault of ours
    """The registry has nothing of this peer that can be installed here."""


def python(name: str, requirements: Sequence[str]) -> Path:
    """Interpreter with the requirements, made at the first call. Raises NotInstallable."""
    folder = FOLDER / name
    interpreter = folder / "bin" / "python"
    ready, failed = folder / ".ready", folder / ".failed"
    if failed.is_file():
        raise NotInstallable(failed.read_text().strip())
    if ready.is_file() and ready.read_text().split() == list(requirements):
        return interpreter
    venv.create(folder, with_pip=True)
    pip = [str(interpreter), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*pip, *requirements], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        # A busy machine may have been the reason: the next call tries again.
        minutes = f"{PATIENCE / 60:.0f} minutes"
        raise NotInstallable(f"pip found no versions that fit in {minutes}") from None
    if done.returncode:
        reason = _reason(done.stderr)
        failed.write_text(reason + "\n")
        raise NotInstallable(reason)
    ready.write_text(" ".join(requirements))
    return interpreter


def _reason(told: str) -> str:
    """The line of pip's complaint that says most."""
    lines = [line.strip(" │╰─>×") for line in told.splitlines()]
    for word in ("Error:", "error:", "ERROR:"):
        found = [line for line in lines if word in line and "subprocess" not in line]
        if found:
            return found[0][:200]
    return (lines or ["pip failed"])[-1][:200]


def run_script(name: str, script: str, request: object, requirements: Sequence[str]) -> Any:
    """Run a peer's script in its environment: JSON on its input, JSON on its output."""
    interpreter = python(name, requirements) if requirements else Path(sys.executable)
    done = subprocess.run(
        [str(interpreter), str(SCRIPTS / script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        cwd=SCRIPTS,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout.splitlines()[-1])
