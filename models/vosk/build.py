"""Make speech models and grammars: ``python -m models.vosk.build --help``."""

from __future__ import annotations

import json
import string
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from hassil.intents import RangeSlotList

from models.domain import Domain
from models.domain.numbers import spoken_numbers
from models.domain.template import Text
from models.errors import IntentdError, ModelError
from models.pronunciation import read_pronunciations
from models.vosk.compile import compile_domain
from models.vosk.compression import compress_acoustics
from models.vosk.dictation import NGRAMS, WORDS, compile_dictation
from models.vosk.frequencies import frequent_words, word_shares
from models.vosk.garbage import add_garbage_output
from models.vosk.grammar import UNKNOWN_COST
from models.vosk.graph import build_graph
from models.vosk.lexicon import pronounce
from models.vosk.manifest import ModelManifest
from models.vosk.ngram_grammar import train_ngram
from models.vosk.phones import GARBAGE, PhoneSet
from models.vosk.words import WORD, missing_words, read_words

COMMAND_WORDS = (
    "yes no okay ok stop start go cancel help again repeat back forward left right up down next "
    "previous first last open close on off hello goodbye thanks hundred thousand million point "
    "minus plus percent degrees o'clock"
)
"""Words that nearly every command language uses."""

DECODING = {
    "min-active": 200,
    "max-active": 2000,
    "beam": 9.0,
    "lattice-beam": 2.0,
    "acoustic-scale": 0.5,
    "frame-subsampling-factor": 3,
    "endpoint.silence-phones": 1,
    "endpoint.rule2.min-trailing-silence": 0.8,
    "endpoint.rule3.min-trailing-silence": 1.0,
    "endpoint.rule4.min-trailing-silence": 1.6,
}
"""Search options. A lattice beam of 4 gained nothing on the development commands, while speech
outside the grammar took five times as long and 220 MB."""

folder = click.Path(file_okay=False, path_type=Path)
file = click.Path(dir_okay=False, exists=True, path_type=Path)


def _written(command: Callable[..., None]) -> Callable[..., None]:
    """Options of a grammar that is written."""
    options = (
        click.option("--version", default=1, show_default=True),
        click.option("--licence", help="Licence of the grammar, for its model.json."),
        click.option("--into", type=folder, required=True, help="Folder to write the grammar to."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def cli() -> None:
    """Make a speech model's graph, or compile a domain into a grammar for it."""


@cli.command()
@click.option("--starter", type=folder, required=True, help="Vosk model to take am and words from.")
@click.option("--domain", "domains", type=file, multiple=True, help="Domain whose words to add.")
@click.option("--text", "texts", type=file, multiple=True, help="Sentences for the n-gram.")
@click.option("--words", "size", default=0, help="Fill up with the commonest words to so many.")
@click.option(
    "--bits",
    type=click.Choice(["32", "16", "8"]),
    default="32",
    show_default=True,
    help="Of a stored weight of the acoustics.",
)
@click.option("--order", default=3, show_default=True, help="Words in an n-gram.")
@click.option(
    "--acoustic-scale",
    default=DECODING["acoustic-scale"],
    show_default=True,
    type=click.FloatRange(0.05, 5),
    help="Weight of the sound against the n-gram.",
)
@click.option("--name", default="vosk-en-starter", show_default=True)
@click.option("--version", default=1, show_default=True)
@click.option("--into", type=folder, required=True, help="Folder to write the model to.")
def model(
    starter: Path,
    domains: Sequence[Path],
    texts: Sequence[Path],
    size: int,
    bits: str,
    order: int,
    acoustic_scale: float,
    name: str,
    version: int,
    into: Path,
) -> None:
    """Build a model: acoustics of STARTER, its words and more, a general n-gram for dictation.

    Texts are one sentence a line, or JSON of CLINC150's form ({part: [[sentence, intent], …]}).
    """
    loaded = [Domain.load(path) for path in domains]
    words = set(read_words(starter / "graph" / "words.txt"))
    words = {word for word in words if WORD.fullmatch(word)} | set(common_words())
    words = words.union(*(domain.words() for domain in loaded))
    for word in frequent_words(size):
        if len(words) < size:
            words.add(word)
    lexicon, unknown = pronounce(words)
    if unknown:
        raise ModelError(f"no pronunciation for {', '.join(unknown)}: add them to the additions")
    phones = PhoneSet.read(starter / "graph" / "phones.txt")
    acoustics = (starter / "am" / "final.mdl").read_bytes()
    if f"{GARBAGE}_B" not in phones.ids:
        acoustics = add_garbage_output(acoustics)
    if bits != "32":
        acoustics = compress_acoustics(acoustics, int(bits))
    graph = into / "graph"
    numbers = build_graph(graph, phones.with_garbage(), lexicon)
    shares = word_shares(numbers)
    ngram = train_ngram(read_sentences(texts), numbers, shares, order)
    ngram.write(graph / "Gr.fst")
    (into / "am").mkdir(exist_ok=True)
    (into / "am" / "final.mdl").write_bytes(acoustics)
    (into / "conf").mkdir(exist_ok=True)
    features = (starter / "conf" / "mfcc.conf").read_bytes()
    (into / "conf" / "mfcc.conf").write_bytes(features)
    decoding = DECODING | {"acoustic-scale": acoustic_scale}
    options = "".join(f"--{option}={value}\n" for option, value in decoding.items())
    (into / "conf" / "model.conf").write_text(options, encoding="utf-8")
    ModelManifest(name=name, version=version, language="en").write(into)
    for domain in loaded:
        lacking = missing_words(domain.words(), graph / "words.txt")
        click.echo(f"{domain.name}: lacks {', '.join(lacking) or 'no word'}")
    arcs = sum(map(len, ngram.arcs))
    click.echo(f"{into}: {len(lexicon)} words, {arcs} arcs in the n-gram")


@cli.command()
@click.option("--model", "base", type=folder, required=True, help="Model to compile for.")
@click.option("--domain", "path", type=file, required=True, help="Domain to compile.")
@click.option("--text", "texts", type=file, multiple=True, help="General sentences to blend in.")
@click.option("--pronunciations", type=file, help="File of your own: WORD PHONE PHONE ...")
@click.option("--unknown-cost", default=UNKNOWN_COST, show_default=True, help="Lower rejects more.")
@click.option("--name", help="Name of the grammar; default vosk-DOMAIN.")
@_written
def grammar(
    base: Path,
    path: Path,
    texts: Sequence[Path],
    pronunciations: Path | None,
    unknown_cost: float,
    name: str | None,
    version: int,
    licence: str | None,
    into: Path,
) -> None:
    """Compile a domain into a grammar for a model.

    Without texts it is strict: the domain's sentences, or else [unk]. With texts it is a bigram
    that prefers the domain and lets people say anything else in the model's words.
    """
    report = compile_domain(
        Domain.load(path),
        base,
        into,
        read_pronunciations(pronunciations) if pronunciations else None,
        general=read_sentences(texts) if texts else None,
        unknown_cost=unknown_cost,
        name=name,
        version=version,
        licence=licence,
    )
    for entry in report.new_words:
        for way in entry.ways:
            click.echo(f"{entry.word}: {' '.join(way)} ({entry.origin})")
    click.echo(
        f"{into}: {report.words} words, {report.states} states, {report.arcs} arcs, "
        f"{report.bytes} bytes in {report.seconds:.1f} s"
    )


@cli.command()
@click.option("--model", "base", type=folder, required=True, help="Model whose phones it is for.")
@click.option(
    "--text", "texts", type=file, multiple=True, required=True, help="Sentences of one kind."
)
@click.option(
    "--tune",
    "tuning",
    type=file,
    multiple=True,
    required=True,
    help="Sentences of the kind that will be dictated, in none of the texts.",
)
@click.option("--words", "size", default=WORDS, show_default=True, help="That can be said.")
@click.option("--ngrams", default=NGRAMS, show_default=True, help="Pairs and triples to keep.")
@click.option("--name", help="Name of the grammar; default the folder's.")
@_written
def dictation(
    base: Path,
    texts: Sequence[Path],
    tuning: Sequence[Path],
    size: int,
    ngrams: int,
    name: str | None,
    version: int,
    licence: str | None,
    into: Path,
) -> None:
    """Make a grammar in which everything can be said: an n-gram over texts of several kinds.

    Each text gets the weight with which it helps to foretell the sentences to tune by. Texts are
    one sentence a line; ``python -m models.training.speech.prose`` makes them out of books.
    """
    report = compile_dictation(
        {path.stem: list(read_sentences([path])) for path in texts},
        list(read_sentences(tuning)),
        base,
        into,
        words=size,
        ngrams=ngrams,
        name=name,
        version=version,
        licence=licence,
    )
    for kind, weight in report.weights.items():
        click.echo(f"{kind}: weight {weight:.3f}")
    click.echo(
        f"{into}: {report.words} words, {report.ngrams} n-grams, {report.bytes} bytes in "
        f"{report.seconds:.0f} s; of what it was tuned by it lacks {100 * report.lacking:.1f} % "
        f"of the words, perplexity {report.perplexity:.0f}"
    )


def common_words() -> frozenset[str]:
    """Letters, the numbers to 100, and words of command."""
    numbers = RangeSlotList(name="number", start=0, stop=100)
    spoken = {
        word
        for number in spoken_numbers(numbers, "en")
        if isinstance(number.node, Text)
        for word in number.node.text.split()
    }
    return frozenset(spoken | set(string.ascii_lowercase) | set(COMMAND_WORDS.split()))


def read_sentences(paths: Sequence[Path]) -> Iterator[list[str]]:
    """Words of each sentence in plain text files and in JSON files of CLINC150's form."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            lines = [row[0] for rows in json.loads(text).values() for row in rows]
        else:
            lines = text.splitlines()
        for line in lines:
            yield WORD.findall(line.lower())


def main() -> None:
    """Run the command line; errors end in one line and exit code 2."""
    try:
        cli.main(standalone_mode=True)
    except IntentdError as error:
        click.echo(f"error: {error.message}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
