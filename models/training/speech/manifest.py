"""Manifests: which recording has which words, by whom.

A manifest is a tab-separated table with a header line and at least the columns ``path`` (of the
recording, relative to the manifest), ``transcript`` and ``speaker``. A column ``phones`` may give
the pronunciation (``HH AH L OW``) where the dictionary's would be wrong, for instance of spelled
names. Other columns are ignored.

One bad line never ends a run: it is named, counted and left out. A manifest that can't be read at
all is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ModelError
from models.training.speech.transcript import Pronouncer, TranscriptError

NAMED = 20
"""Bad lines that a report names; the rest is only counted."""

_COLUMNS = ("path", "transcript", "speaker")


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording to learn from."""

    audio: Path
    speaker: str
    labels: tuple[int, ...]
    """Network outputs of its phones, in order; 0 is never among them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line or recording that was left out."""

    place: str
    """``manifest.tsv, line 7`` or the path of a recording."""

    reason: str


@dataclass
class Problems:
    """What was left out, and why."""

    found: list[Problem] = field(default_factory=list)

    def add(self, place: str, reason: str) -> None:
        """Note that something was left out."""
        self.found.append(Problem(place, reason))

    def __len__(self) -> int:
        return len(self.found)

    def report(self) -> Iterator[str]:
        """Lines for a log: the first problems by name, and how many of each kind."""
        for problem in self.found[:NAMED]:
            yield f"left out: {problem.place}: {problem.reason}"
        kinds = Counter(problem.reason.split(":")[0] for problem in self.found)
        if len(self.found) > NAMED:
            yield f"left out: {len(self.found) - NAMED} more"
        for kind, count in kinds.most_common():
            yield f"left out in all: {count} × {kind}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    place: str
    cells: dict[str, str]


def read_rows(path: Path, problems: Problems, columns: Sequence[str] = _COLUMNS) -> Iterator[Row]:
    """The lines of a manifest that have as many cells as its header.

    Raises ModelError if the file can't be read, is not UTF-8, or lacks one of ``columns``.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ModelError(f"the manifest {path} can't be read: {reason}") from None
    header = lines[0].split("\t") if lines else []
    missing = [name for name in columns if name not in header]
    if missing:
        raise ModelError(
            f"the manifest {path} lacks the column {missing[0]}: its first line must name "
            f"{', '.join(columns)}, separated by tabs"
        )
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = line.split("\t")
        place = f"{path}, line {number}"
        if len(cells) > len(header) or len(cells) < len(columns):
            problems.add(place, f"number of columns: {len(cells)} instead of {len(header)}")
            continue
        padded = [*cells, *[""] * (len(header) - len(cells))]
        yield Row(place, dict(zip(header, padded, strict=True)))


def read_manifest(path: Path, pronouncer: Pronouncer, problems: Problems) -> list[Utterance]:
    """The usable lines of a manifest; the others go to ``problems``.

    Recordings are only looked for here; ``models.training.speech.audio`` reads them. Raises
    ModelError if the manifest can't be read, or if none of its lines is usable.
    """
    found = []
    for row in read_rows(path, problems):
        audio = path.parent / row.cells["path"]
        speaker = row.cells["speaker"].strip()
        if not row.cells["path"].strip() or not audio.is_file():
            problems.add(row.place, f"no such recording: {row.cells['path'] or '(empty)'}")
            continue
        if not speaker:
            problems.add(row.place, "no speaker")
            continue
        try:
            labels = pronouncer.labels(row.cells["transcript"], row.cells.get("phones", ""))
        except TranscriptError as error:
            problems.add(row.place, str(error))
            continue
        found.append(Utterance(audio, speaker, labels))
    if not found:
        raise ModelError(f"the manifest {path} has no usable line: {_first(path, problems)}")
    return found


def read_noises(path: Path, problems: Problems, exclude: Sequence[str] = ()) -> list[Path]:
    """Recordings of noise in a manifest, without those whose transcript has a word to exclude."""
    found = []
    for row in read_rows(path, problems, ("path",)):
        audio = path.parent / row.cells["path"]
        if any(word in row.cells.get("transcript", "") for word in exclude):
            continue
        if audio.is_file():
            found.append(audio)
        else:
            problems.add(row.place, f"no such recording: {row.cells['path'] or '(empty)'}")
    if not found:
        raise ModelError(f"the manifest {path} has no usable line: {_first(path, problems)}")
    return found


def _first(path: Path, problems: Problems) -> str:
    own = [problem for problem in problems.found if problem.place.startswith(f"{path},")]
    return f"{own[0].place.removeprefix(f'{path}, ')}: {own[0].reason}" if own else "it is empty"
