"""What a recogniser hears in place of what was said, counted on recordings.

The counts of the shipped speech model are in ``mishearings.json``. They say how often words are
lost, put in and taken for others, and which for which.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from random import Random

import msgspec

from models.errors import ModelError
from models.training.language.confusions import sound_alikes

SHIPPED = Path(__file__).with_name("mishearings.json")
MOST = 6
"""Words that one may be heard as."""

GAP = 0.8
"""Cost of a word too many or too few; a word in place of another costs up to 1, the less the more
alike they are spelled."""


class Mishearings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """Counts of what was heard."""

    model: str
    """The recogniser."""

    recordings: str
    """What it was measured on."""

    words: int
    """Number of words that were said."""

    swapped: dict[str, dict[str, int]]
    """What was heard, by what was said."""

    lost: dict[str, int]
    added: dict[str, int]

    @cached_property
    def rates(self) -> tuple[float, float, float]:
        """Shares of words that are swapped, lost and added."""
        swapped = sum(sum(heard.values()) for heard in self.swapped.values())
        total = max(1, self.words)
        return swapped / total, sum(self.lost.values()) / total, sum(self.added.values()) / total

    @property
    def error_rate(self) -> float:
        """Word error rate of the recordings that were measured."""
        return sum(self.rates)

    def heard_as(self, words: Collection[str]) -> dict[str, tuple[str, ...]]:
        """For each of ``words`` that was ever taken for another, those others, commonest first."""
        found = {}
        for word in sorted(words):
            heard = Counter(self.swapped.get(word, {}))
            if heard:
                found[word] = tuple(other for other, _ in heard.most_common(MOST))
        return found

    def mishear(self, word: str, rng: Random) -> str | None:
        """A word that ``word`` was taken for, as likely as it was; None if it never was."""
        heard = self.swapped.get(word)
        return rng.choices(list(heard), list(heard.values()))[0] if heard else None

    def added_word(self, rng: Random) -> str | None:
        """A word that was heard where nobody said one."""
        return rng.choices(list(self.added), list(self.added.values()))[0] if self.added else None


def load_mishearings(path: Path = SHIPPED) -> Mishearings:
    """Read counts. Raises ModelError that names the file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mishearings)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise ModelError(f"{path} holds no counts of mishearings: {error}") from None


def write_mishearings(path: Path, counts: Mishearings) -> None:
    """Write counts, a line for each word that was taken for others."""
    lines = []
    for name, value in msgspec.to_builtins(counts).items():
        if name == "swapped":
            rows = [f"{_json(said)}: {_json(heard)}" for said, heard in value.items()]
            lines.append('"swapped": {\n' + ",\n".join(rows) + "\n}")
        else:
            lines.append(f"{_json(name)}: {_json(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def alike(
    words: Collection[str], others: Collection[str], counts: Mishearings
) -> dict[str, tuple[str, ...]]:
    """For each of ``words`` what it may be heard as: what it was, else what sounds much like it.

    ``words`` are those of a domain. What was heard in place of one and is another of them is left
    out: a recogniser does take "off" for "on", but a text that says so means something else.
    """
    heard = {}
    for word, found in counts.heard_as(words).items():
        if kept := tuple(other for other in found if other not in words):
            heard[word] = kept
    rest = sound_alikes([word for word in words if word not in heard], others)
    return {**rest, **heard}


def count_mishearings(
    pairs: Iterable[tuple[str, str]], *, model: str, recordings: str
) -> Mishearings:
    """Counts from pairs of what was said and what was heard."""
    swapped: dict[str, Counter[str]] = defaultdict(Counter)
    lost: Counter[str] = Counter()
    added: Counter[str] = Counter()
    words = 0
    for said, heard in pairs:
        words += len(said.split())
        for mine, theirs in align_words(said.split(), heard.split()):
            if mine is None and theirs is not None:
                added[theirs] += 1
            elif theirs is None and mine is not None:
                lost[mine] += 1
            elif mine is not None and theirs is not None and mine != theirs:
                swapped[mine][theirs] += 1
    return Mishearings(
        model=model,
        recordings=recordings,
        words=words,
        swapped={word: dict(sorted(heard.items())) for word, heard in sorted(swapped.items())},
        lost=dict(sorted(lost.items())),
        added=dict(sorted(added.items())),
    )


def align_words(said: Sequence[str], heard: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Words side by side, None where one side has none; words that look alike stay together."""
    rows, columns = len(said), len(heard)
    cost = [[GAP * column for column in range(columns + 1)]]
    for row in range(1, rows + 1):
        line = [GAP * row]
        for column in range(1, columns + 1):
            line.append(
                min(
                    cost[row - 1][column - 1] + _unlike(said[row - 1], heard[column - 1]),
                    cost[row - 1][column] + GAP,
                    line[column - 1] + GAP,
                )
            )
        cost.append(line)
    found: list[tuple[str | None, str | None]] = []
    row, column = rows, columns
    while row or column:
        here = cost[row][column]
        if row and column:
            across = cost[row - 1][column - 1] + _unlike(said[row - 1], heard[column - 1])
            if abs(here - across) < 1e-9:
                row, column = row - 1, column - 1
                found.append((said[row], heard[column]))
                continue
        if row and abs(here - cost[row - 1][column] - GAP) < 1e-9:
            row -= 1
            found.append((said[row], None))
        else:
            column -= 1
            found.append((None, heard[column]))
    return found[::-1]


def _unlike(mine: str, theirs: str) -> float:
    """0 for the same word, up to 1 for words without a letter in common."""
    if mine == theirs:
        return 0.0
    common = sum((Counter(mine) & Counter(theirs)).values())
    return 1.0 - 0.6 * common / max(len(mine), len(theirs))
