"""What a benchmark finds: one value, the bar it has to meet, and the two sides it is made of."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value."""

    benchmark: str
    """The letter that ``--only`` takes."""

    what: str
    value: float
    unit: str
    """``x`` for a ratio."""

    bar: float | None
    """The value must not be above it; None for a figure that is only told."""

    sides: str
    """The measurements that the value is made of."""

    @property
    def passed(self) -> bool:
        """True when the bar is met, or there is none."""
        return self.bar is None or self.value <= self.bar

    def line(self) -> str:
        """The figure as people read it."""
        verdict = "" if self.bar is None else f", bar {self.bar:g}: {_verdict(self.passed)}"
        value = f"{self.value:.3g} {self.unit}{verdict}"
        return f"({self.benchmark}) {self.what}: {value}\n    {self.sides}"

    def as_json(self) -> dict[str, Any]:
        """The figure for ``--json``."""
        return {**asdict(self), "passed": self.passed}


def _verdict(passed: bool) -> str:
    return "met" if passed else "MISSED"


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> str:
    """The machine that was measured on, and how busy it was with other things."""
    model = _field("/proc/cpuinfo", "model name") or platform.processor()
    memory = _field("/proc/meminfo", "MemTotal").split()[:1]
    gigabytes = f"{int(memory[0]) / 2**20:.0f} GB" if memory else "?"
    kernel = ".".join(platform.release().split(".")[:2])
    return (
        f"{model}, {cores()} cores, {gigabytes}, Linux {kernel}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
