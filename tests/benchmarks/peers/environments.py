"""A virtual environment of its own for each peer: their dependencies fit neither ours nor each
other's."""

from __future__ import annotations

import json
import os
import signal
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


LONGEST = 3600.0
"""Seconds that a peer may take for a dataset."""


class NotMeasurable(Exception):  # noqa: N818 - a finding that is told, no fault of ours
    """The peer can't be installed here, or doesn't come to an end."""


def python(name: str, requirements: Sequence[str]) -> Path:
    """Interpreter with the requirements, made at the first call. Raises NotMeasurable."""
    folder = FOLDER / name
    interpreter = folder / "bin" / "python"
    ready, failed = folder / ".ready", folder / ".failed"
    if failed.is_file():
        raise NotMeasurable(failed.read_text().strip())
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
        raise NotMeasurable(
            f"can't be installed: pip found no versions that fit in {minutes}"
        ) from None
    if done.returncode:
        complaint = f"can't be installed: {reason(done.stderr)}"
        failed.write_text(complaint + "\n")
        raise NotMeasurable(complaint)
    ready.write_text(" ".join(requirements))
    return interpreter


def reason(told: str) -> str:
    """The line of pip's complaint that says most."""
    lines = [line.strip(" │╰─>×") for line in told.splitlines()]
    for word in ("Error:", "Exception:", "error:", "ERROR:"):
        found = [line for line in lines if word in line and "subprocess" not in line]
        if found:
            # pip lists every version that there ever was.
            return found[0].partition(" (from versions")[0][:200]
    return (lines or ["pip failed"])[-1][:200]


def run_script(name: str, script: str, request: object, requirements: Sequence[str]) -> Any:
    """Run a peer's script in its environment: JSON on its input, JSON on its output."""
    interpreter = python(name, requirements) if requirements else Path(sys.executable)
    process = subprocess.Popen(
        [str(interpreter), str(SCRIPTS / script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=SCRIPTS,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        told, errors = process.communicate(json.dumps(request), timeout=LONGEST)
    except BaseException as error:
        # Some peers start processes of their own.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            hours = f"{LONGEST / 3600:g} h"
            raise NotMeasurable(f"did not come to an end in {hours}") from None
        raise
    if process.returncode:
        raise NotMeasurable(f"fails: {(errors.strip().splitlines() or ['no word'])[-1][:200]}")
    return json.loads(told.splitlines()[-1])
