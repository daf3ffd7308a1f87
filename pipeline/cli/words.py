"""``intentd words``: how words are spoken, by the model and by you."""

from __future__ import annotations

from pathlib import Path

import click

from models.errors import ConfigurationError, ModelError
from models.pronunciation import (
    Pronouncer,
    Pronunciation,
    parse_phones,
    pronunciations_beside,
    read_pronunciations,
    set_pronunciation,
)

DEFAULT_MODEL = "vosk-en"

_ORIGINS = {
    "override": "yours",
    "model": "model",
    "dictionary": "dictionary",
    "guess": "guessed",
}

_domain = click.option(
    "-d",
    "--domain",
    metavar="NAME|FILE",
    help="A domain: its words, and the pronunciations file beside it.",
)
_file = click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of your pronunciations, if not the one beside the domain.",
)
_model = click.option(
    "--model", default=DEFAULT_MODEL, show_default=True, metavar="NAME|PATH", help="Speech model."
)


@click.group()
def words() -> None:
    """Look at the pronunciations of words, hear them, and give your own."""


@words.command()
@click.argument("names", metavar="[WORD]...", nargs=-1)
@_domain
@_file
@_model
@click.option("--new", is_flag=True, help="Only words that the model lacks.")
@click.option("--guesses", default=1, show_default=True, help="Ways to show of a guessed word.")
def check(
    names: tuple[str, ...],
    domain: str | None,
    path: Path | None,
    model: str,
    new: bool,
    guesses: int,
) -> None:
    """Show how words are spoken: those named, or all of a domain.

    Each line is a word, where its pronunciation comes from (model, yours, dictionary, guessed),
    and its phones. Exit code 2 when a word has none.
    """
    wanted = [name.lower() for name in names]
    if domain is not None and not wanted:
        wanted = sorted(_load_domain(domain))
    if not wanted:
        raise ConfigurationError("give words, or a domain with --domain")
    found, missing = _pronouncer(model, domain, path, guesses).pronounce_all(wanted)
    shown = [entry for entry in found.values() if not new or entry.origin != "model"]
    width = max((len(entry.word) for entry in shown), default=0)
    for entry in shown:
        click.echo(_line(entry, width))
    guessed = sum(entry.origin == "guess" for entry in found.values())
    ours = sum(entry.origin == "model" for entry in found.values())
    click.echo(f"{len(found)} words: {ours} in the model, {len(found) - ours} new", err=True)
    if guessed:
        click.echo(
            f"{guessed} guessed from the spelling: hear one with `intentd words say WORD`, mend "
            'it with `intentd words set WORD "PHONES"`',
            err=True,
        )
    if missing:
        raise ModelError(
            f"no pronunciation for {', '.join(missing)}: "
            f'give one with: intentd words set {missing[0]} "PHONES"'
        )


@words.command()
@click.argument("word")
@click.argument("phones", required=False)
@_domain
@_file
@_model
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a WAV file, do not play it.",
)
def say(
    word: str,
    phones: str | None,
    domain: str | None,
    path: Path | None,
    model: str,
    out: Path | None,
) -> None:
    """Speak WORD as it is pronounced, or as PHONES say, through espeak-ng."""
    from models.pronunciation.speaking import speak

    if phones is None:
        entry = _pronouncer(model, domain, path).pronounce(word.lower())
        if entry is None:
            raise ModelError(f'no pronunciation for {word}: give phones, such as "L AA T EY"')
        click.echo(_line(entry, len(entry.word)))
        ways = entry.ways
    else:
        ways = (parse_phones(phones, word),)
    for way in ways[:1] if out else ways:
        speak(way, out)


@words.command("set")
@click.argument("word")
@click.argument("phones", nargs=-1, required=True)
@_domain
@_file
def set_(word: str, phones: tuple[str, ...], domain: str | None, path: Path | None) -> None:
    """Say how WORD is spoken, in phones of the CMU dictionary: "L AA T EY".

    Several PHONES are several ways. They take the place of all others of the word, in the file
    beside the domain, and count when the domain is compiled the next time.
    """
    ways = [parse_phones(way, word) for way in phones]
    target = path or _beside(domain)
    if target is None:
        raise ConfigurationError("give the domain that the word is of with --domain, or --file")
    set_pronunciation(target, word.lower(), ways)
    click.echo(f"{target}: {word.lower()} is {', or '.join(map(' '.join, ways))}")


def _line(entry: Pronunciation, width: int) -> str:
    ways = "  |  ".join(" ".join(way) for way in entry.ways)
    return f"{entry.word.ljust(width)}  {_ORIGINS[entry.origin].ljust(10)}  {ways}"


def _load_domain(name: str) -> frozenset[str]:
    from models.domain import Domain
    from pipeline.loading import find_domain

    return Domain.load(find_domain(name)).words()


def _pronouncer(model: str, domain: str | None, path: Path | None, guesses: int = 1) -> Pronouncer:
    from models.catalogue import find
    from models.vosk.lexicon import read_lexicon

    own = path or _beside(domain, for_writing=False)
    overrides = read_pronunciations(own) if own is not None and (path or own.exists()) else {}
    return Pronouncer(read_lexicon(find(model)), overrides, guesses=guesses)


def _beside(domain: str | None, *, for_writing: bool = True) -> Path | None:
    from pipeline.loading import SHIPPED, find_domain

    if domain is None:
        return None
    found = find_domain(domain)
    if for_writing and found.parent == SHIPPED / "domains":
        raise ConfigurationError(
            f"{found.stem} is a shipped domain, which updates would overwrite: "
            "copy it and give the copy, or give --file"
        )
    return pronunciations_beside(found)
