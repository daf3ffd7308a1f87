"""``python -m fuzz``, from the folder tests: all targets one after another, a line for each.

``--jobs`` runs some side by side. Each runs for ``--minutes`` and until it has had ``--runs``
inputs. Exit code 1 when something was found; the input that did it then lies in the folder and
belongs into ``regressions``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz.targets import TARGETS

LONGEST = 12
"""A slow target gets at most so many times its minutes to reach the number of inputs."""

INTERRUPTED = 72
"""libFuzzer's exit code when it was interrupted."""


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time")
    parser.add_argument("--folder", type=Path, default=Path("../build/fuzz"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = options.targets or list(TARGETS)
    folder = options.folder.resolve()
    with ThreadPoolExecutor(options.jobs) as pool:
        clean = pool.map(lambda n: fuzz(n, options.minutes * 60, options.runs, folder), names)
        failed = [name for name, good in zip(names, clean, strict=True) if not good]
    if failed:
        print(f"found something: {', '.join(failed)}")
    return bool(failed)


def fuzz(name: str, seconds: float, runs: int, folder: Path) -> bool:
    """Fuzz one target; False when it has found something."""
    inputs, began, limit = 0, time.monotonic(), seconds
    while True:
        inputs_now, code, output = once(name, limit, folder)
        inputs += inputs_now
        spent = time.monotonic() - began
        if code == INTERRUPTED:
            print(f"{name:20} {inputs:>12,} inputs {spent:7.0f} s   broken off", flush=True)
            return True
        if code:
            print(f"{name:20} {inputs:>12,} inputs {spent:7.0f} s   FOUND, exit code {code}")
            print("\n".join(output.splitlines()[-30:]))
            return False
        if inputs >= runs or spent >= LONGEST * seconds:
            print(f"{name:20} {inputs:>12,} inputs {spent:7.0f} s   nothing found", flush=True)
            return True
        limit = min(seconds, max(10.0, (runs - inputs) * spent / max(inputs, 1)))


def once(name: str, seconds: float, folder: Path) -> tuple[int, int, str]:
    """One process: how many inputs, its exit code, what it said."""
    command = [sys.executable, "-m", "fuzz.one", name, str(folder)]
    limits = [f"-max_total_time={round(seconds)}", "-rss_limit_mb=2048", "-print_final_stats=1"]
    artefacts = f"-artifact_prefix={folder}/{name}-"
    done = subprocess.run(
        [*command, *limits, artefacts], capture_output=True, text=True, errors="replace"
    )
    match = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    return int(match.group(1)) if match else 0, done.returncode, done.stderr


if __name__ == "__main__":
    sys.exit(main())
