"""Compile what may be said into a graph for a speech model: the one entry point.

The result is a folder that ``models.vosk.assemble`` joins with the model, of one of three kinds:

- ``HCLG.fst`` and ``words.txt``: a strict grammar as a static graph, with pronunciations inside.
- ``HCLr.fst``, ``Gr.fst`` and ``words.txt``: a blended grammar with words that the model lacks.
- ``Gr.fst``, over the words of the model: a blended grammar without new words, and any grammar for
  a model from elsewhere, whose phones are not ours.

It needs no other program, and the same input makes the same bytes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from models.domain import WILDCARD, Acceptor, Domain
from models.errors import ModelError
from models.pronunciation import Phones, Pronouncer, Pronunciation
from models.vosk.folder import write_grammar
from models.vosk.fst import Transducer, WeightedAcceptor
from models.vosk.grammar import (
    UNKNOWN_COST,
    blended_grammar,
    list_acceptor,
    sample_sentences,
    strict_grammar,
)
from models.vosk.graph import number_words, word_graph
from models.vosk.lexicon import Lexicon, read_lexicon
from models.vosk.manifest import ModelManifest, model_id, read_manifest
from models.vosk.phones import PhoneSet
from models.vosk.static import build_static
from models.vosk.words import file_hash, read_words, words_text

_STATIC = "HCLG.fst"
_TREE = "HCLr.fst"
_GRAMMAR = "Gr.fst"
_WORDS = "words.txt"

_DIGIT = re.compile(r"\d")


class CompileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was compiled."""

    folder: Path
    seconds: float
    states: int
    arcs: int
    bytes: int
    """Of all files that were written."""

    words: int
    """That can be recognised."""

    new_words: tuple[Pronunciation, ...]
    """Words that the model lacks or that have a pronunciation of the user's own, sorted."""

    @property
    def guessed(self) -> tuple[Pronunciation, ...]:
        """New words whose pronunciation was made from the spelling: a person should look."""
        return tuple(word for word in self.new_words if word.origin == "guess")


@dataclass(frozen=True)
class _Spoken:
    """What may be said: a domain's sentences, or a list of them."""

    acceptor: Acceptor
    domain: Domain | None
    listed: list[list[str]]
    general: list[Sequence[str]] | None
    """General sentences to blend in."""

    unknown_cost: float
    words: frozenset[str]
    """Of the sentences to compile."""

    def grammar(self, numbers: Mapping[str, int]) -> WeightedAcceptor:
        """The grammar over word numbers."""
        if self.general is None:
            return strict_grammar(self.acceptor, numbers, self.unknown_cost)
        examples = sample_sentences(self.domain) if self.domain else self.listed
        return blended_grammar(examples, self.general, numbers)


@dataclass(frozen=True)
class _Compiled:
    """A graph, and the files that hold it."""

    graph: Transducer | WeightedAcceptor
    files: Mapping[str, bytes]
    words: int
    base_words: str | None = None
    base_phones: str | None = None
    new_words: tuple[Pronunciation, ...] = field(default=())


def compile_domain(
    sentences: Domain | Iterable[str],
    base_model: Path,
    out: Path,
    pronunciations: Mapping[str, Sequence[Phones]] | None = None,
    *,
    general: Iterable[Sequence[str]] | None = None,
    unknown_cost: float = UNKNOWN_COST,
    name: str | None = None,
    version: int = 1,
    licence: str | None = None,
) -> CompileReport:
    """Write a grammar of ``sentences`` for the model ``base_model`` into the folder ``out``.

    ``pronunciations`` take the place of the model's own; see ``read_pronunciations`` for a file
    of them. Without ``general`` the grammar is strict: the sentences, silence, or ``[unk]``. With
    ``general`` (words of general sentences) it is a bigram over these, the sentences and every
    word of the model. ``out`` is replaced as a whole, or left as it was; files in it that this
    function does not write stay. Raises ModelError if a word has no pronunciation, the model's
    words and phones can't be read, or the disk is full.
    """
    began = time.monotonic()
    spoken = _listen(sentences, general, unknown_cost)
    if not spoken.words:
        raise ModelError(f"{out}: there are no sentences to compile: give at least one")
    compiled = _compile(spoken, base_model, pronunciations or {})
    base = read_manifest(base_model)
    manifest = ModelManifest(
        name=name or (f"vosk-{spoken.domain.name}" if spoken.domain else out.name),
        version=version,
        language=base.language if base else "en",
        base=model_id(base_model),
        base_words=compiled.base_words,
        base_phones=compiled.base_phones,
        domain=spoken.domain.name if spoken.domain else None,
        licence=licence,
    )
    write_grammar(out, compiled.files, manifest)
    return CompileReport(
        folder=out,
        seconds=time.monotonic() - began,
        states=len(compiled.graph.arcs),
        arcs=sum(map(len, compiled.graph.arcs)),
        bytes=sum(map(len, compiled.files.values())),
        words=compiled.words,
        new_words=compiled.new_words,
    )


def _listen(
    sentences: Domain | Iterable[str],
    general: Iterable[Sequence[str]] | None,
    unknown_cost: float,
) -> _Spoken:
    domain = sentences if isinstance(sentences, Domain) else None
    listed = []
    if not isinstance(sentences, Domain):
        listed = [sentence.lower().split() for sentence in sentences]
    acceptor = domain.acceptor().minimized() if domain else list_acceptor(listed)
    return _Spoken(
        acceptor=acceptor,
        domain=domain,
        listed=listed,
        general=None if general is None else list(general),
        unknown_cost=unknown_cost,
        words=frozenset(arc.word for arc in acceptor.arcs) - {WILDCARD},
    )


def _compile(spoken: _Spoken, base: Path, overrides: Mapping[str, Sequence[Phones]]) -> _Compiled:
    try:
        lexicon = read_lexicon(base)
    except ModelError:
        # A model from elsewhere will do as long as it needs no pronunciations.
        if overrides or spoken.words - read_words(base / "graph" / _WORDS).keys():
            raise
        return _over_words(spoken, base)
    found = _pronounce(spoken.words, lexicon, overrides)
    new = tuple(entry for entry in found.values() if entry.origin != "model")
    if spoken.general is not None and not new:
        return _over_words(spoken, base)
    ways = {word: entry.ways for word, entry in found.items()}
    if spoken.general is not None:
        return _lookahead(spoken, base, {**lexicon, **ways}, new)
    return _static(spoken, base, ways, new)


def _over_words(spoken: _Spoken, base: Path) -> _Compiled:
    """A ``Gr.fst`` over the words of the model."""
    numbers = read_words(base / "graph" / _WORDS)
    grammar = spoken.grammar(numbers)
    count = len(spoken.words if spoken.general is None else numbers)
    return _Compiled(
        graph=grammar,
        files={_GRAMMAR: grammar.to_bytes()},
        words=count,
        base_words=file_hash(base / "graph" / _WORDS),
    )


def _static(
    spoken: _Spoken, base: Path, lexicon: Lexicon, new: tuple[Pronunciation, ...]
) -> _Compiled:
    """An ``HCLG.fst`` with the words of ``lexicon``."""
    phones = PhoneSet.read(base / "graph" / "phones.txt")
    numbers = number_words(lexicon, phones)
    graph = build_static(spoken.grammar(numbers), numbers, lexicon, phones)
    return _Compiled(
        graph=graph,
        files={_STATIC: graph.to_bytes(), _WORDS: words_text(numbers).encode()},
        words=len(lexicon),
        base_phones=file_hash(base / "graph" / "phones.txt"),
        new_words=new,
    )


def _lookahead(
    spoken: _Spoken, base: Path, lexicon: Lexicon, new: tuple[Pronunciation, ...]
) -> _Compiled:
    """``HCLr.fst`` and ``Gr.fst`` with the words of ``lexicon``."""
    phones = PhoneSet.read(base / "graph" / "phones.txt")
    tree, numbers = word_graph(lexicon, phones)
    grammar = spoken.grammar(numbers)
    return _Compiled(
        graph=grammar,
        files={
            _TREE: tree,
            _GRAMMAR: grammar.to_bytes(),
            _WORDS: words_text(numbers).encode(),
        },
        words=len(lexicon),
        base_phones=file_hash(base / "graph" / "phones.txt"),
        new_words=new,
    )


def _pronounce(
    words: Iterable[str], lexicon: Lexicon, overrides: Mapping[str, Sequence[Phones]]
) -> dict[str, Pronunciation]:
    found, missing = Pronouncer(lexicon, overrides).pronounce_all(words)
    if missing:
        digits = [word for word in missing if _DIGIT.search(word)]
        mend = f'give one with: intentd words set {missing[0]} "PHONES"'
        if digits:
            mend = f"write numbers as words, or {mend}"
        raise ModelError(f"no pronunciation for {', '.join(missing)}: {mend}")
    return found
