"""Plain texts for a base to learn from, one a line, out of whatever is free and at hand.

``python -m models.training.language.base_texts OUT --examples train.ndjson … --without test.ndjson
… --domain home.yaml … --questions train.json … --prose FOLDER …``

Requests are taken as written and as spoken, domains by sampling their templates, questions both
alone and before the passage and the sentence that answer them, prose sentence by sentence.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import click

from models.domain import Domain
from models.errors import IntentdError, ModelError
from models.training.language.examples import read_examples

SENTENCES_OF_A_DOMAIN = 14_000
LETTERS = 0.9
"""Share of letters and spaces below which a passage is code, a table or markup."""

WORDS = range(5, 60)
LONG = range(61, 110)
"""Words of a passage that is kept whole, so that the base sees long texts too."""

_SENTENCE = re.compile(r"(?<=[.!?:]) (?=[A-Z])")
_PASSAGE = re.compile(r"\n\s*\n")
_ROFF = re.compile(r"(?m)^[.'].*$|\\f[A-Z]|\\-|\\&|\\\(..")
_NOT_SPOKEN = re.compile(r"[^a-z0-9' ]")


def written(text: str) -> str:
    """Lower case, one space between words."""
    return " ".join(text.replace("\u2019", "'").lower().split())


def spoken(text: str) -> str:
    """The words alone, without punctuation."""
    words = _NOT_SPOKEN.sub(" ", written(text)).split()
    return " ".join(word.strip("'") for word in words if word.strip("'"))


def requests(texts: Iterable[str], without: Iterable[str]) -> set[str]:
    """Both forms of ``texts``; none that says the same as one of ``without``."""
    hidden = {spoken(text) for text in without}
    forms = (form for text in texts for form in (written(text), spoken(text)))
    return {form for form in forms if form and spoken(form) not in hidden}


def question_texts(articles: Iterable[dict[str, object]]) -> Iterator[str]:
    """Texts of articles in SQuAD's format."""
    for article in articles:
        for paragraph in article["paragraphs"]:  # type: ignore[attr-defined]
            context = paragraph["context"]
            yield context
            for asked in paragraph["qas"]:
                question = asked["question"]
                yield from (question, written(question), f"{question} [SEP] {context}")
                start, end = asked["answers"][0]["answer_start"], 0
                for sentence in re.split(r"(?<=[.!?]) ", context):
                    end += len(sentence) + 1
                    if start < end:
                        yield f"{question} [SEP] {sentence}"
                        break


def prose(text: str) -> Iterator[str]:
    """Sentences, and long passages whole, of documentation or a manual page."""
    for passage in _PASSAGE.split(_ROFF.sub(" ", text)):
        block = " ".join(passage.split())
        letters = sum(c.isalpha() or c == " " for c in block)
        if not block or letters < LETTERS * len(block):
            continue
        if len(block.split()) in LONG:
            yield block
        yield from (one for one in _SENTENCE.split(block) if len(one.split()) in WORDS)


def _read(path: Path) -> str:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode("utf-8", "replace")


def _all_prose(folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file():
                try:
                    yield from prose(_read(path))
                except (OSError, EOFError) as error:
                    click.echo(f"{path}: left out: {error}", err=True)


def gather(
    examples: Iterable[Path],
    without: Iterable[Path],
    domains: Iterable[Path],
    questions: Iterable[Path],
    folders: Iterable[Path],
    most_prose: int,
) -> list[str]:
    """All lines. Raises ModelError and DomainError that name a file at fault."""
    lines = requests(
        (row.text for path in examples for row in read_examples(path)),
        (row.text for path in without for row in read_examples(path)),
    )
    for path in domains:
        lines |= {one.text for one in Domain.load(path).sample(SENTENCES_OF_A_DOMAIN, seed=77)}
    for path in questions:
        try:
            lines |= set(question_texts(json.loads(path.read_text(encoding="utf-8"))["data"]))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise ModelError(f"{path} is not in SQuAD's format: {error!r}") from None
    sentences = sorted(set(_all_prose(folders)))
    Random(0).shuffle(sentences)
    return [*sorted(lines), *sentences[:most_prose]]


_FILES = click.Path(exists=True, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--examples", multiple=True, type=_FILES, help="Requests to learn from.")
@click.option("--without", multiple=True, type=_FILES, help="Requests that must not be among them.")
@click.option("--domain", "domains", multiple=True, type=_FILES, help="Domain to sample.")
@click.option("--questions", multiple=True, type=_FILES, help="SQuAD's format.")
@click.option("--prose", "folders", multiple=True, type=_FILES, help="Documentation, man pages.")
@click.option("--most-prose", default=30_000, show_default=True, help="Sentences of prose.")
def main(out: Path, most_prose: int, **sources: tuple[Path, ...]) -> None:
    """Write OUT, one text a line, for `intentd train-language` with the task `distill`."""
    try:
        lines = gather(most_prose=most_prose, **sources)
    except IntentdError as error:
        raise click.ClickException(error.message) from error
    if not lines:
        raise click.ClickException("there are no texts: give --examples, --domain or --prose")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    click.echo(f"{out}: {len(lines)} texts")


if __name__ == "__main__":
    main()
