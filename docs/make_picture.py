"""Makes docs/run.svg: the real output of a replay, as a terminal shows it.

python docs/make_picture.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    ("intentd replay tests/replays/coffee -c coffee", 6),
    ("intentd replay tests/replays/home -c home", 9),
)


def main() -> None:
    """Run the commands and draw what they print, file names shortened."""
    console = Console(record=True, width=118, file=sys.stderr)
    for command, lines in COMMANDS:
        console.print(Text.assemble(("$ ", "bold"), command))
        arguments = [sys.executable, "-m", "pipeline.cli", *command.split()[1:]]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines()[:lines]:
            _, _, meaning = line.partition("  ")
            text, arrow, intent = meaning.partition(" → ")
            name, bracket, rest = intent.partition("(")
            style = "yellow" if intent.startswith("not") else "green"
            console.print(Text.assemble(text, arrow, (name, style), bracket, rest))
    picture = console.export_svg(title="intentd")
    # The fonts would be fetched from the network; the system's monospace does as well.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (ROOT / "docs" / "run.svg").write_text(picture)


if __name__ == "__main__":
    main()
