"""Figures of a run as JSON lines, one record a line, and their plot."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.training.speech.plot import Curve, draw

Record = dict[str, Any]


class RunLog:
    """``log.jsonl`` and ``plot.svg`` of a run. A full disk costs records, never the run."""

    def __init__(self, folder: Path, echo: Callable[[str], None] = lambda _: None) -> None:
        self.path = folder / "log.jsonl"
        self._plot = folder / "plot.svg"
        self._echo = echo

    def add(self, **record: Any) -> None:
        """Append a record, and show it."""
        self._echo("  ".join(f"{key} {_short(value)}" for key, value in record.items()))
        with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def read(self) -> list[Record]:
        """All records; a last line that was cut off when the run was killed is left out."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        records = []
        for line in lines:
            with contextlib.suppress(ValueError):
                records.append(json.loads(line))
        return records

    def rewind(self, step: int) -> None:
        """Drop the figures of steps that a resumed run does again."""
        kept = [record for record in self.read() if record.get("step", 0) <= step]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        partial = self.path.with_suffix(".part")
        with contextlib.suppress(OSError):
            partial.write_text(text, encoding="utf-8")
            partial.replace(self.path)

    def plot(self) -> None:
        """Draw loss and phone error rate over the steps."""
        records = self.read()
        curves = [
            Curve(name, [(r["step"], r[name]) for r in records if r.get(name) is not None])
            for name in ("loss", "held_out_loss", "phone_error_rate")
        ]
        with contextlib.suppress(OSError):
            self._plot.write_text(draw(curves, "steps"), encoding="utf-8")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
