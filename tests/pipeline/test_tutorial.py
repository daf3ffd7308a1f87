"""The tutorial works as it is written: its files, its commands, what they answer."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
_BLOCK = re.compile(r"(?:<!-- (?P<note>[^\n]*?) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.S)


def blocks() -> Iterator[tuple[str, str, str]]:
    """Note, kind and body of each code block."""
    for match in _BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8")):
        yield match["note"] or "", match["kind"], match["body"]


@pytest.mark.timeout(300)  # it trains at full size: half a minute of work
def test_given_a_newcomer_who_follows_the_tutorial_every_command_answers_as_shown(
    intentd: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for note, kind, body in blocks():
        if note == "needs a microphone":
            continue
        if note.startswith("file: "):
            Path(note.removeprefix("file: ")).write_text(body)
        if note.startswith("change: "):
            name, _, change = note.removeprefix("change: ").partition(": ")
            old, _, new = change.partition(" -> ")
            text = Path(name).read_text()
            assert old in text
            Path(name).write_text(text.replace(old, new))
        if kind == "console":
            ran += run(intentd, body)

    assert ran >= 7


def run(intentd: CommandLine, body: str) -> int:
    """Run the commands of a block; what stands under each must begin a line of its output."""
    commands = re.split(r"^\$ ", body, flags=re.M)[1:]
    for command in commands:
        line, *shown = command.rstrip().splitlines()
        fails = line.startswith("! ")
        arguments = shlex.split(line.removeprefix("! "))
        assert arguments[0] == "intentd"
        done = intentd(*arguments[1:], timeout=280)
        assert (done.returncode == 1) is fails, f"{line}: {done.stdout}{done.stderr}"
        for expected in shown:
            assert any(found.startswith(expected) for found in done.stdout.splitlines()), (
                f"{line}: {done.stdout}"
            )
    return len(commands)
