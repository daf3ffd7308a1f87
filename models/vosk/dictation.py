"""A grammar for free dictation: the commonest words, and an n-gram over texts of several kinds.

It has words of its own (``HCLr.fst``, ``Gr.fst``, ``words.txt``), so it goes with every model of
the same phones, as ``models.vosk.assemble`` joins them.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models.errors import ModelError
from models.ngram import BackOffModel, Gram, mix, mixture_weights, perplexity, prune, train
from models.pronunciation.dictionary import read_dictionary
from models.vosk.folder import write_grammar
from models.vosk.frequencies import frequent_words, word_shares
from models.vosk.graph import word_graph
from models.vosk.lexicon import pronounce, read_lexicon
from models.vosk.manifest import ModelManifest, model_id, read_manifest
from models.vosk.ngram_grammar import MINIMUM, ngram_grammar, pieces, priors
from models.vosk.phones import PhoneSet
from models.vosk.words import file_hash, words_text

Sentences = Sequence[Sequence[str]]
"""Words of each sentence."""

WORDS = 24_000
NGRAMS = 120_000
"""Pairs and triples of words that are kept: 3 MB. Twice as many gain a fiftieth of perplexity."""

ORDER = 3

WRITTEN = frozenset(
    {"mr", "mrs", "dr", "st", "jr", "sr", "vs", "ltd", "corp", "ct", "lb", "lbs", "mt", "mg"}
    | {"mpg", "hz", "feb", "aug", "sep", "ga", "ca", "th", "ve"}
)
"""Abbreviations that the dictionary reads out as other words: "mister", which texts have."""


class DictationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was made."""

    folder: Path
    seconds: float
    words: int
    ngrams: int
    bytes: int
    weights: dict[str, float]
    """Of each text in the mixture."""

    lacking: float
    """Share of the words of the tuning sentences that the grammar lacks."""

    perplexity: float
    """On the tuning sentences, cut at words that the grammar lacks."""


def compile_dictation(
    texts: Mapping[str, Sentences],
    tuning: Sentences,
    base: Path,
    out: Path,
    *,
    words: int = WORDS,
    ngrams: int = NGRAMS,
    name: str | None = None,
    version: int = 1,
    licence: str | None = None,
) -> DictationReport:
    """Write a grammar for dictation with the model ``base`` into the folder ``out``.

    ``texts`` are sentences by the name of their kind, ``tuning`` are some of the kind that will be
    dictated and are in none of the texts: they decide which words are taken and how much each text
    counts. The words of ``base`` are among them. Raises ModelError if there is nothing to learn
    from, the base is from elsewhere, or the disk is full.
    """
    began = time.monotonic()
    if not texts or not any(tuning) or not all(map(any, texts.values())):
        raise ModelError(f"{out}: dictation needs texts, and sentences to tune them by")
    chosen = _choose_words(texts, tuning, frozenset(read_lexicon(base)), words)
    lexicon, _ = pronounce(chosen, guesses=1)
    phones = PhoneSet.read(base / "graph" / "phones.txt")
    tree, numbers = word_graph(lexicon, phones)
    model, weights = _language_model(texts, tuning, numbers, ngrams)
    grammar = ngram_grammar(model).to_bytes()
    made = read_manifest(base)
    manifest = ModelManifest(
        name=name or out.name,
        version=version,
        language=made.language if made else "en",
        base=model_id(base),
        base_phones=file_hash(base / "graph" / "phones.txt"),
        licence=licence,
    )
    files = {"HCLr.fst": tree, "Gr.fst": grammar, "words.txt": words_text(numbers).encode()}
    write_grammar(out, files, manifest)
    said = [word for sentence in tuning for word in sentence]
    return DictationReport(
        folder=out,
        seconds=time.monotonic() - began,
        words=len(lexicon),
        ngrams=sum(map(len, model.probabilities)),
        bytes=sum(map(len, files.values())),
        weights=weights,
        lacking=sum(word not in numbers for word in said) / len(said),
        perplexity=perplexity(model, pieces(tuning, numbers)),
    )


@dataclass(frozen=True)
class _Shares:
    """How common words are, whatever is before them."""

    shares: Mapping[int, float]

    def log_probability(self, _history: Gram, symbol: int, /) -> float:
        return math.log(self.shares.get(symbol, 0.0) or 1e-12)


def _choose_words(
    texts: Mapping[str, Sentences], tuning: Sentences, always: Collection[str], size: int
) -> set[str]:
    """The words that the tuning sentences make likely, which the dictionary can pronounce."""
    dictionary = read_dictionary()
    kinds = [word_shares(frequent_words(len(dictionary)))]
    for sentences in texts.values():
        counts = Counter(word for sentence in sentences for word in sentence)
        total = counts.total()
        kinds.append({word: count / total for word, count in counts.items() if word in dictionary})
    known = sorted({word for kind in kinds for word in kind})
    numbers = {word: number for number, word in enumerate(known)}
    said = [[numbers[word] for word in sentence if word in numbers] for sentence in tuning]
    models = [_Shares({numbers[word]: share for word, share in kind.items()}) for kind in kinds]
    weights = mixture_weights(models, said)
    likely = sorted(
        known,
        key=lambda word: (
            -sum(weight * kind.get(word, 0.0) for weight, kind in zip(weights, kinds, strict=True))
        ),
    )
    chosen = set(always) - WRITTEN
    for word in likely:
        if len(chosen) >= size:
            break
        if word not in WRITTEN:
            chosen.add(word)
    return chosen


def _language_model(
    texts: Mapping[str, Sentences], tuning: Sentences, numbers: Mapping[str, int], size: int
) -> tuple[BackOffModel, dict[str, float]]:
    prior = priors(numbers, word_shares(numbers))
    for kind, sentences in {**texts, "the sentences to tune by": tuning}.items():
        if not any(word in numbers for sentence in sentences for word in sentence):
            raise ModelError(f"{kind}: none of its words has a pronunciation: is it English?")
    models = [
        train(pieces(sentences, numbers), ORDER, prior=prior, minimum=MINIMUM)
        for sentences in texts.values()
    ]
    weights = mixture_weights(models, pieces(tuning, numbers))
    grams: set[Gram] = set()
    for model in models:
        grams.update(gram for level in model.probabilities for gram in level)
    mixed = mix(models, weights, sorted(grams, key=lambda gram: (len(gram), gram)))
    return prune(mixed, size), dict(zip(texts, weights, strict=True))
