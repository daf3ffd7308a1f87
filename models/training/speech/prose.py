"""Sentences for a language model, one a line, out of books and transcripts.

``python -m models.training.speech.prose OUT.txt FILE …`` reads plain text (that of Project
Gutenberg without its licence, markup stripped), Bibles as JSON lists of ``{"type", "value"}``, and
manifests (``.tsv``), whose transcripts it takes. Sentences are written as they are spoken: lower
case, no punctuation, "Mr." as "mister"; those with digits or signs in them are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

import click

from models.errors import ModelError
from models.training.speech.manifest import Problems, read_rows
from models.vosk.words import WORD

WORDS = range(2, 81)
"""Words of a sentence that is kept."""

SPOKEN = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "st": "saint",
    "esq": "esquire",
    "messrs": "messrs",
}
"""Abbreviations with a full stop, and what is said for them."""

_ABBREVIATION = re.compile(rf"\b({'|'.join(SPOKEN)})\.", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"(?<=[.!?;:])[\"')]*\s+")
_NOT_SPOKEN = re.compile(r"[\d@#/\\=<>{}\[\]|*~^]|http")
_MARKUP = re.compile(r"<[^>]*>|^[#>]+", re.MULTILINE)
_BEGIN = re.compile(r"\*\*\* ?START OF.*|\*END\*THE SMALL PRINT.*")
_END = re.compile(
    r"\*\*\* ?END OF|End of (?:the )?Project Gutenberg|\*START\*\*THE SMALL PRINT", re.IGNORECASE
)

Which = Literal["all", "even", "odd"]


def sentences(text: str) -> Iterator[str]:
    """Sentences of prose, and their parts between semicolons and colons, as they are spoken."""
    text = text.replace("’", "'").replace("_", " ").replace("--", " , ").replace("—", " , ")
    text = _ABBREVIATION.sub(lambda found: SPOKEN[found[1].lower()], text)
    for paragraph in _PARAGRAPH.split(text):
        for sentence in _SENTENCE.split(" ".join(paragraph.split())):
            words = WORD.findall(sentence.lower())
            if len(words) in WORDS and not _NOT_SPOKEN.search(sentence):
                yield " ".join(words)


def book(text: str) -> str:
    """The text of a book, or of several, without markup and what Project Gutenberg puts around."""
    text = text.replace("\r", "")
    parts = []
    for begin in [found.end() for found in _BEGIN.finditer(text)] or [0]:
        end = _END.search(text, begin)
        parts.append(text[begin : end.start() if end else len(text)])
    return _MARKUP.sub("", "\n\n".join(parts))


def read(path: Path, which: Which = "all") -> Iterator[str]:
    """Sentences of a file; ``which`` speakers' of a manifest, counted in the order of their names.

    Raises ModelError if the file can't be read.
    """
    if path.suffix == ".tsv":
        yield from _transcripts(path, which)
        return
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # as older files of Project Gutenberg are
    if path.suffix == ".json":
        for paragraph in _paragraphs(text, path):
            yield from sentences(paragraph)
    else:
        yield from sentences(book(text))


def _transcripts(path: Path, which: Which) -> Iterator[str]:
    rows = [row.cells for row in read_rows(path, Problems(), ("transcript", "speaker"))]
    speakers = sorted({cells["speaker"] for cells in rows})
    wanted = set({"all": speakers, "even": speakers[::2], "odd": speakers[1::2]}[which])
    for cells in rows:
        words = WORD.findall(cells["transcript"].lower())
        if words and cells["speaker"] in wanted:
            yield " ".join(words)


def _paragraphs(text: str, path: Path) -> Iterator[str]:
    part: list[str] = []
    try:
        for entry in [*json.loads(text), {"type": "end"}]:
            if entry["type"].endswith("text"):
                part.append(entry["value"])
            elif part:
                yield " ".join(part)
                part = []
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ModelError(f"{path}: no list of paragraphs with type and value") from None


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--speakers",
    "which",
    type=click.Choice(get_args(Which)),
    default="all",
    show_default=True,
    help="Of manifests: every other speaker, so that the rest can tell how good a model is.",
)
def main(out: Path, files: Sequence[Path], which: Which) -> None:
    """Write the sentences of FILES to OUT, one a line."""
    try:
        found = [sentence for path in files for sentence in read(path, which)]
        out.write_text("".join(f"{sentence}\n" for sentence in found), encoding="utf-8")
    except ModelError as error:
        raise click.ClickException(error.message) from None
    except OSError as error:
        raise click.ClickException(f"{out} can't be written: {error.strerror}") from None
    words = sum(len(sentence.split()) for sentence in found)
    click.echo(f"{out}: {len(found)} sentences, {words} words")


if __name__ == "__main__":
    main()
