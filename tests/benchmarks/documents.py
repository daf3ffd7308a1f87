"""Parts of ``docs/benchmarks.md`` that a command writes anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "benchmarks.md"


def write_part(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the markers of a part, or append the part."""
    begin, end = f"<!-- {name}: made by a command -->", f"<!-- end of {name} -->"
    part = f"{begin}\n{text.strip()}\n{end}"
    old = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    new, found = pattern.subn(lambda _: part, old)
    page.write_text(new if found else f"{old.rstrip()}\n\n{part}\n", encoding="utf-8")


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first are numbers."""
    marks = ["---", *("---:" for _ in heading[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heading, marks, *rows))


def share(value: float | None) -> str:
    """A share in per cent with one decimal, or a dash."""
    return "–" if value is None else f"{100 * value:.1f}"
