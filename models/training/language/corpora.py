"""Free text that people said to assistants: CLINC150, HWU64, SLURP and SNIPS in one form.

Each utterance keeps the label it had, as ``corpus/label``, so that a domain can tell what is its
own. Texts are in spoken form: lower case, words alone. Those with digits or letters beyond a to z
are left out, since no English recogniser writes them.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

import click
import msgspec

from models.errors import ModelError

Split = Literal["train", "test"]
Row = TypeVar("Row")

_PUNCTUATION = re.compile(r"[.,;:!?\"()\[\]{}<>*_/\\|-]+")
_SPOKEN = re.compile(r"[a-z']+(?: [a-z']+)*")


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody said."""

    text: str
    label: str
    """Corpus and label: ``clinc150/timer``."""

    split: Split


def spoken_form(text: str) -> str | None:
    """The text in lower case without punctuation, or None if that is not what is spoken."""
    words = _PUNCTUATION.sub(" ", text.lower().replace("’", "'")).split()
    spoken = " ".join(word.strip("'") for word in words if word.strip("'"))
    return spoken if _SPOKEN.fullmatch(spoken) else None


def read_clinc150(path: Path) -> Iterator[tuple[str, str, Split]]:
    """Read ``data_full.json``: out of scope is the label ``oos``."""
    parts: dict[str, Split] = {
        "train": "train",
        "val": "train",
        "oos_train": "train",
        "oos_val": "train",
        "test": "test",
        "oos_test": "test",
    }
    data = json.loads(path.read_text(encoding="utf-8"))
    for part, split in parts.items():
        for text, label in data[part]:
            yield text, f"clinc150/{label}", split


def read_hwu64(folder: Path) -> Iterator[tuple[str, str, Split]]:
    """Read the CSV files, one an intent, of a folder; all of them are for training."""
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter=";"):
                yield row["answer_from_anno"], f"hwu64/{path.stem}", "train"


def read_slurp(folder: Path) -> Iterator[tuple[str, str, Split]]:
    """Read ``devel.jsonl`` (for training) and ``test.jsonl``."""
    files: dict[str, Split] = {"devel.jsonl": "train", "test.jsonl": "test"}
    for name, split in files.items():
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["sentence"], f"slurp/{row['intent']}", split


def read_snips(folder: Path) -> Iterator[tuple[str, str, Split]]:
    """Read the full training files of ``2017-06-custom-intent-engines``."""
    for path in sorted(folder.glob("*/train_*_full.json")):
        for intent, rows in json.loads(path.read_bytes().decode("utf-8", "replace")).items():
            for row in rows:
                text = "".join(part["text"] for part in row["data"])
                yield text, f"snips/{intent}", "train"


def gather(sources: Iterable[tuple[str, str, Split]]) -> Iterator[Utterance]:
    """Spoken, distinct utterances; training texts that also occur in a test part are left out."""
    rows = [(spoken_form(text), label, split) for text, label, split in sources]
    tests = {text for text, _, split in rows if split == "test"}
    seen: set[tuple[str, str]] = set()
    for text, label, split in rows:
        if text is None or (split == "train" and text in tests) or (text, label) in seen:
            continue
        seen.add((text, label))
        yield Utterance(text=text, label=label, split=split)


def read_utterances(path: Path) -> list[Utterance]:
    """Read what the command of this module wrote. Raises ModelError that names file and line."""
    return _read_lines(path, Utterance)


def _read_lines(path: Path, kind: type[Row]) -> list[Row]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(msgspec.json.decode(line, type=kind))
        except msgspec.DecodeError as error:
            raise ModelError(f"{path} line {number} is not as expected: {error}") from error
    return rows


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--clinc150", type=click.Path(path_type=Path), help="data_full.json of CLINC150.")
@click.option("--hwu64", type=click.Path(path_type=Path), help="Folder of HWU64's training CSVs.")
@click.option("--slurp", type=click.Path(path_type=Path), help="Folder of SLURP's JSON lines.")
@click.option(
    "--snips", type=click.Path(path_type=Path), help="2017-06-custom-intent-engines of SNIPS."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="NDJSON to write.")
def main(
    clinc150: Path | None, hwu64: Path | None, slurp: Path | None, snips: Path | None, out: Path
) -> None:
    """Write the utterances of some corpora to one NDJSON file."""
    rows: list[tuple[str, str, Split]] = []
    for path, read in (
        (clinc150, read_clinc150),
        (hwu64, read_hwu64),
        (slurp, read_slurp),
        (snips, read_snips),
    ):
        if path is None:
            continue
        try:
            rows += read(path)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise click.ClickException(f"{path} is not what is expected: {error!r}") from error
    utterances = list(gather(rows))
    out.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in utterances))
    for split, count in sorted(Counter(row.split for row in utterances).items()):
        click.echo(f"{split}: {count} utterances")
    click.echo(f"left out: {len(rows) - len(utterances)}")


if __name__ == "__main__":
    main()
