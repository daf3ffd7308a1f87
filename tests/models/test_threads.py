"""Libraries, given work, start no threads that keep a processor busy afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import os
import {module}
import numpy as np
matrix = np.ones((700, 700), np.float32)
matrix @ matrix
print(os.environ["OPENBLAS_NUM_THREADS"], len(os.listdir("/proc/self/task")))
"""


def told(module: str, **others: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")} | others
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        env=environment, capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
@pytest.mark.parametrize("module", ["models", "models.mobilebert", "stages.understander"])
def test_numpy_works_in_one_thread(module: str) -> None:
    assert told(module) == "1 1"


def test_somebody_who_wants_more_threads_gets_them() -> None:
    assert told("models", OPENBLAS_NUM_THREADS="2").startswith("2 ")
