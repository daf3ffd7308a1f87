"""The word graph of a speech model: ``HCLr.fst``, ``words.txt`` and the phone files.

It is written directly as a prefix tree of transitions, without determinization. OpenFst's
command-line tools make it a look-ahead graph; they are needed to make a model, never to run it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from models.errors import ModelError
from models.vosk.lexicon import Lexicon
from models.vosk.phones import GARBAGE, SILENCE, UNKNOWN, PhoneSet

BLANK_COST = 0.05
"""Cost of each blank frame inside a word; keeps words from swallowing pauses."""

SILENCE_COST = 0.5
"""Cost of a pause between words."""

GARBAGE_COST = 0.9
"""Cost of each phone of a word outside the vocabulary. The garbage phone is always the most
likely one, so this is what a word of the vocabulary may lose against it: lower rejects more."""

GARBAGE_WORD_COST = 2.0
"""Cost of each word outside the vocabulary."""

TOOLS = ("fstcompile", "fstarcsort", "fstconvert")
PLUGIN_FOLDERS = ("/usr/lib/x86_64-linux-gnu/fst/22", "/usr/lib/aarch64-linux-gnu/fst/22")
"""Where Debian keeps the look-ahead plugin of OpenFst 1.7.9."""


class WordTree:
    """Transitions and words of all pronunciations, joined where they begin alike."""

    def __init__(self, phones: PhoneSet, lexicon: Lexicon, words: dict[str, int]) -> None:
        self._phones = phones
        self._words = words
        self.arcs: list[tuple[int, int, int, int, float]] = []
        """Source, target, transition, word, cost."""

        self._states = 0
        self._ends: dict[str, int] = {}
        self._start = self._new()
        self.loop = self._new()
        """The state between words; also the only final state."""

        self._silence = self._new()
        self._arc(self._start, self._silence, phones.forward(SILENCE))
        self._arc(self._silence, self._silence, phones.loop(SILENCE))
        self._arc(self._silence, self.loop, 0)
        tree: dict[tuple[str, ...], int] = {}
        for word in sorted(lexicon):
            for pronunciation in lexicon[word]:
                self._add(tree, pronunciation, words[word])
        if f"{GARBAGE}_B" in phones.ids:
            self._add_garbage()

    def _new(self) -> int:
        self._states += 1
        return self._states - 1

    def _arc(
        self, source: int, target: int, transition: int, word: int = 0, cost: float = 0.0
    ) -> None:
        self.arcs.append((source, target, transition, word, cost))

    def _inside(self, phone: str) -> int:
        """A state behind the label of ``phone``, in which its blanks are emitted."""
        state = self._new()
        self._arc(state, state, self._phones.loop(phone), cost=BLANK_COST)
        return state

    def _end(self, phone: str) -> int:
        """The state behind words that end in ``phone``: on to the next, or a pause."""
        if phone not in self._ends:
            state = self._ends[phone] = self._inside(phone)
            self._arc(state, self.loop, 0)
            self._arc(state, self._silence, self._phones.forward(SILENCE), cost=SILENCE_COST)
        return self._ends[phone]

    def _add(self, tree: dict[tuple[str, ...], int], phones: tuple[str, ...], word: int) -> None:
        if len(phones) == 1:
            single = f"{phones[0]}_S"
            self._arc(self.loop, self._end(single), self._phones.forward(single), word)
            return
        state = self.loop
        for length in range(1, len(phones)):
            prefix = phones[:length]
            phone = f"{phones[length - 1]}_{'B' if length == 1 else 'I'}"
            if prefix not in tree:
                tree[prefix] = self._inside(phone)
                self._arc(state, tree[prefix], self._phones.forward(phone))
            state = tree[prefix]
        last = f"{phones[-1]}_E"
        self._arc(state, self._end(last), self._phones.forward(last), word)

    def _add_garbage(self) -> None:
        """A word of at least two phones of any kind."""
        begin, internal, last = (f"{GARBAGE}_{position}" for position in "BIE")
        first, middle, end = self._inside(begin), self._inside(internal), self._end(last)
        word = self._words[UNKNOWN]
        cost = GARBAGE_WORD_COST + GARBAGE_COST
        self._arc(self.loop, first, self._phones.forward(begin), word, cost)
        for state in (first, middle):
            self._arc(state, middle, self._phones.forward(internal), cost=GARBAGE_COST)
            self._arc(state, end, self._phones.forward(last), cost=GARBAGE_COST)

    def text(self) -> str:
        """The graph in OpenFst's text format, start state first."""
        lines = [
            f"{source} {target} {transition} {word} {cost}"
            for source, target, transition, word, cost in self.arcs
        ]
        return "\n".join([*lines, f"{self.loop} 0", ""])


def build_graph(folder: Path, phones: PhoneSet, lexicon: Lexicon) -> dict[str, int]:
    """Write ``HCLr.fst``, ``words.txt`` and the phone files into ``folder``.

    Returns the words with their numbers. Raises ModelError if OpenFst's tools are missing.
    """
    _require_tools()
    folder.mkdir(parents=True, exist_ok=True)
    names = ["<eps>", UNKNOWN, *sorted(lexicon)]
    numbers = {word: number for number, word in enumerate(names)}
    tree = WordTree(phones, lexicon, numbers)
    with tempfile.TemporaryDirectory() as temporary:
        relabel = _convert(tree.text(), Path(temporary), folder / "HCLr.fst")
    words = {word: relabel.get(number, number) for word, number in numbers.items()}
    if len(set(words.values())) != len(words):
        raise ModelError(f"{folder}: fstconvert gave two words the same number")
    lines = "".join(f"{word} {words[word]}\n" for word in sorted(words, key=words.__getitem__))
    (folder / "words.txt").write_text(lines, encoding="utf-8")
    phones.write(folder)
    return words


def _convert(text: str, temporary: Path, target: Path) -> dict[int, int]:
    """Make a look-ahead graph of ``text``; returns the numbers that words got in it."""
    source = temporary / "tree.txt"
    source.write_text(text, encoding="utf-8")
    plain, ordered, pairs = (temporary / name for name in ("plain", "ordered", "pairs"))
    _run("fstcompile", "--arc_type=standard", str(source), str(plain))
    _run("fstarcsort", "--sort_type=olabel", str(plain), str(ordered))
    _run(
        "fstconvert",
        "--fst_type=olabel_lookahead",
        f"--save_relabel_opairs={pairs}",
        str(ordered),
        str(target),
    )
    rows = (line.split() for line in pairs.read_text().splitlines())
    return {int(old): int(new) for old, new in rows}


def _require_tools() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ModelError(
            f"building a graph needs OpenFst's {', '.join(missing)}: install the packages "
            "libfst-tools and libfst22-plugins-base"
        )


def _run(*command: str) -> None:
    folders = [*PLUGIN_FOLDERS, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(folders)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        detail = result.stderr.strip().splitlines()
        raise ModelError(f"{command[0]} failed: {detail[-1] if detail else result.returncode}")
