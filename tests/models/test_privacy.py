"""Nothing leaves the machine, and nothing is written for somebody who would send it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
from pathlib import Path
from models.mobilebert import LanguageModel
import psutil
LanguageModel.load(Path(sys.argv[1])).understand("give me a latte")
print([c.raddr for c in psutil.Process().net_connections("inet")])
"""


def run_with_home(home: Path, program: str, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    environment |= {"HOME": str(home)}
    environment.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment, capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_inference_library_sends_and_stores_no_usage_data(tmp_path: Path) -> None:
    model = ROOT / "models/weights/mobilebert-coffee"
    assert run_with_home(tmp_path, PROGRAM, str(model)) == "[]"
    assert list(tmp_path.rglob("*")) == []
