"""Public corpora as files of examples, in the parts that scores are published for.

===========  ==================================================================================
``snips``    2017-06 custom intents (Coucke et al. 2018): 13,084 / 700 / 700 of the split that is
             customary since Goo et al. 2018; 100 of each intent, drawn with seed 0, are ``dev``
``hwu64``    fold 1 of ten (Liu et al. 2019); 500 of the training part, seed 0, are ``dev``
``clinc150`` the parts of ``data_full.json`` (Larson et al. 2019); out of scope is ``oos``
``scenarios`` the 18 scenarios of SLURP (Bastianelli et al. 2020), its ``devel`` and ``test``
``wnut17``   named entities in noisy text (Derczynski et al. 2017)
``xquad``    questions (Artetxe et al. 2020), articles by title: of each four the third is ``dev``
             and the fourth ``test``
``outside``  of these, already written side by side: texts that are none of CLINC150's business,
             to learn its ``oos`` from, beside the hundred that it has
===========  ==================================================================================

Texts come as they are written (lower case, no punctuation around words) and, in files that end in
``-spoken``, as they are said.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from models.errors import ModelError
from models.mobilebert.labels import OUTSIDE
from models.training.language.alignment import LabelledText
from models.training.language.examples import write_examples
from models.training.language.spoken import plain, spoken_words, written_words

Piece = tuple[str, str | None]
"""Some characters and the slot that they belong to."""

Raw = tuple[list[Piece], str]
"""A text in pieces, and its label."""

DEV_PER_SNIPS_INTENT = 100
HWU_DEV = 500
OUTSIDE_CLINC = {
    "hwu64": (
        "qa_factoid", "qa_stock", "general_quirky", "news_query", "social_post", "social_query",
        "email_query", "email_querycontact", "email_sendemail", "email_addcontact",
        "play_podcasts", "play_radio", "play_audiobook", "play_game", "recommendation_events",
        "recommendation_movies", "transport_ticket", "music_likeness",
    ),
    "snips": ("SearchCreativeWork", "RateBook", "SearchScreeningEvent"),
}  # fmt: skip
"""Labels that no intent of CLINC150 is like, by corpus."""

MOST_OUTSIDE = 250
"""Texts of a label."""

_NO_WORD = re.compile(r"[^a-z0-9' ]")
_ANNOTATION = re.compile(r"\[\s*([^:\[\]]+?)\s*:\s*([^\[\]]*?)\s*\]")


def pieces_of(annotated: str) -> list[Piece]:
    """``wake me at [time : six]`` in pieces."""
    pieces: list[Piece] = []
    at = 0
    for match in _ANNOTATION.finditer(annotated):
        pieces += [(annotated[at : match.start()], None), (match[2], match[1])]
        at = match.end()
    return [*pieces, (annotated[at:], None)]


def label_words(
    pieces: Iterable[Piece], label: str, say: Callable[[str], list[str]]
) -> LabelledText:
    """Words and tags of a text; a word belongs where its first letter or digit lies."""
    text, owners = "", []
    for number, (part, name) in enumerate(pieces):
        part = plain(part)
        text += part
        owners += [(number, name)] * len(part)
    words, tags = [], []
    last = None
    for match in re.finditer(r"\S+", text):
        first = next((i for i in range(*match.span()) if text[i].isalnum()), match.start())
        number, name = owners[first]
        for word in say(match.group()):
            tags.append(OUTSIDE if name is None else f"{'I' if last == number else 'B'}-{name}")
            last = number if name is not None else None
            words.append(word)
    return LabelledText(tuple(words), tuple(tags), label)


def read_snips(folder: Path) -> dict[str, list[Raw]]:
    """Parts of SNIPS: ``train``, ``dev``, ``test``."""
    by_intent: dict[str, list[Raw]] = defaultdict(list)
    test: list[Raw] = []
    for path in sorted([*folder.glob("*/train_*_full.json"), *folder.glob("*/validate_*.json")]):
        kind = path.stem.partition("_")[0]
        for intent, rows in _json(path).items():
            for row in rows:
                pieces = [(_mend(part["text"]), part.get("entity")) for part in row["data"]]
                (test if kind == "validate" else by_intent[intent]).append((pieces, intent))
    rng = random.Random(0)
    train: list[Raw] = []
    dev: list[Raw] = []
    for intent in sorted(by_intent):
        chosen = set(rng.sample(range(len(by_intent[intent])), DEV_PER_SNIPS_INTENT))
        for number, raw in enumerate(by_intent[intent]):
            (dev if number in chosen else train).append(raw)
    return {"train": train, "dev": dev, "test": test}


def read_hwu64(folder: Path) -> dict[str, list[Raw]]:
    """Parts of a fold of HWU64, the folder with ``trainset`` and ``testset``."""

    def read(files: Path) -> list[Raw]:
        return [
            (pieces_of(row["answer_annotation"]), path.stem)
            for path in sorted(files.glob("*.csv"))
            for row in _csv(path)
        ]

    train = read(folder / "trainset")
    random.Random(0).shuffle(train)
    return {
        "train": train[HWU_DEV:],
        "dev": train[:HWU_DEV],
        "test": read(folder / "testset" / "csv"),
    }


def read_clinc150(file: Path) -> dict[str, list[Raw]]:
    """Parts of CLINC150: ``train``, ``dev`` and ``test`` with ``oos`` among them."""
    names = {"train": "train", "val": "dev", "test": "test"}
    data = _json(file)
    parts: dict[str, list[Raw]] = defaultdict(list)
    for source, name in names.items():
        for text, label in data[source] + data[f"oos_{source}"]:
            parts[name].append(([(text, None)], label))
    return dict(parts)


def read_scenarios(folder: Path) -> dict[str, list[Raw]]:
    """Scenarios of SLURP: one in ten of its ``devel`` is ``dev``."""

    def read(name: str) -> list[Raw]:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        return [(pieces_of(row["sentence_annotation"]), row["scenario"]) for row in rows]

    train = read("devel.jsonl")
    random.Random(0).shuffle(train)
    tenth = len(train) // 10
    return {"train": train[tenth:], "dev": train[:tenth], "test": read("test.jsonl")}


def _json(path: Path) -> Any:
    content = path.read_bytes()
    try:
        return json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        return json.loads(content.decode("latin-1"))


def _csv(path: Path) -> Iterator[dict[str, str]]:
    import csv

    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def _mend(text: str) -> str:
    """Undo UTF-8 that was read as another encoding, which some files of SNIPS hold."""
    if re.search("[ÃÅâÂ]", text):
        for encoding in ("cp1252", "latin-1"):
            try:
                return text.encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
    return text


_READERS: dict[str, Callable[[Path], dict[str, list[Raw]]]] = {
    "snips": read_snips,
    "hwu64": read_hwu64,
    "clinc150": read_clinc150,
    "scenarios": read_scenarios,
}


def _write_wnut17(folder: Path, out: Path) -> dict[str, int]:
    from models.training.language.examples import read_examples

    files = {
        "train": "wnut17train.conll",
        "dev": "emerging.dev.conll",
        "test": "emerging.test.annotated",
    }
    counts = {}
    for part, name in files.items():
        texts = [
            LabelledText(tuple(word.lower() for word in text.words), text.tags, "")
            for text in read_examples(folder / name, ".conll")
        ]
        counts[part] = write_examples(out / f"{part}.ndjson", texts)
    return counts


def _write_xquad(file: Path, out: Path) -> dict[str, int]:
    articles = sorted(_json(file)["data"], key=lambda article: str(article["title"]))
    parts: dict[str, list[Any]] = {"train": [], "dev": [], "test": []}
    for number, article in enumerate(articles):
        parts[("train", "train", "dev", "test")[number % 4]].append(article)
    for name, chosen in parts.items():
        text = json.dumps({"version": "1.1", "data": chosen}, ensure_ascii=False)
        (out / f"{name}.json").write_text(text, encoding="utf-8")
    return {
        name: sum(len(p["qas"]) for a in chosen for p in a["paragraphs"])
        for name, chosen in parts.items()
    }


def _write_outside(folder: Path, out: Path) -> dict[str, int]:
    """``folder`` has hwu64, snips and xquad as this module writes them."""
    rng = random.Random(1)
    texts: list[str] = []
    for corpus, labels in OUTSIDE_CLINC.items():
        lines = (folder / corpus / "train.ndjson").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for label in labels:
            found = [row["text"] for row in rows if row["intent"] == label]
            texts += rng.sample(found, min(MOST_OUTSIDE, len(found)))
    for part in ("train", "dev", "test"):
        articles = _json(folder / "xquad" / f"{part}.json")["data"]
        asked = (qa["question"] for a in articles for p in a["paragraphs"] for qa in p["qas"])
        texts += [" ".join(_NO_WORD.sub(" ", question.lower()).split()) for question in asked]
    chosen = sorted(set(texts))
    rng.shuffle(chosen)
    examples = (
        LabelledText(words, (OUTSIDE,) * len(words), "oos") for words in map(_words, chosen)
    )
    return {"train": write_examples(out / "train.ndjson", examples)}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def convert(corpus: str, source: Path, out: Path) -> dict[str, int]:
    """Write the parts of a corpus into ``out``; returns how many texts each has.

    Raises ModelError where the source is not what is expected.
    """
    out.mkdir(parents=True, exist_ok=True)
    try:
        if corpus == "wnut17":
            return _write_wnut17(source, out)
        if corpus == "xquad":
            return _write_xquad(source, out)
        if corpus == "outside":
            return _write_outside(source, out)
        counts = {}
        for part, rows in _READERS[corpus](source).items():
            for ending, say in (("", written_words), ("-spoken", spoken_words)):
                texts = [label_words(pieces, label, say) for pieces, label in rows]
                name = f"{part}{ending}"
                counts[name] = write_examples(
                    out / f"{name}.ndjson", (text for text in texts if text.words)
                )
    except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"{source} is not what {corpus} looks like: {error!r}") from error
    return counts


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("corpus", type=click.Choice([*_READERS, "wnut17", "xquad", "outside"]))
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def main(corpus: str, source: Path, out: Path) -> None:
    """Write the parts of CORPUS, which lies in SOURCE, as files of examples into OUT."""
    try:
        for part, count in convert(corpus, source, out).items():
            click.echo(f"{out / part}: {count}")
    except ModelError as error:
        raise click.ClickException(error.message) from error


if __name__ == "__main__":
    main()
