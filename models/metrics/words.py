"""Word and character errors, by jiwer (https://github.com/jitsi/jiwer, Apache 2.0)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, cast

import jiwer
import msgspec
from rapidfuzz.distance import Levenshtein

from models.metrics.rates import Rate, ratio

EditKind = Literal["equal", "substitute", "insert", "delete"]


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A run of words that were heard alike or otherwise."""

    kind: EditKind
    expected: str
    """The words that were said; empty for an insertion."""

    actual: str
    """The words that were heard; empty for a deletion."""


class WordErrors(msgspec.Struct, frozen=True, kw_only=True):
    """Errors over all texts whose words are known."""

    texts: int
    wer: Rate
    """Substitutions, deletions and insertions a word that was said; may be above 1."""

    cer: Rate
    """The same of characters, blanks included."""

    words: int
    """Words that were said."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int
    correct_texts: Rate


def word_errors(said: Sequence[str], heard: Sequence[str]) -> WordErrors | None:
    """Compare texts one by one, case and spacing aside; None when there are none."""
    if not said:
        return None
    pairs = [(plain(a), plain(b)) for a, b in zip(said, heard, strict=True)]
    found = [jiwer.process_words(a, b) for a, b in pairs]
    letters = [jiwer.process_characters(a, b) for a, b in pairs]
    wrong = [float(w.substitutions + w.deletions + w.insertions) for w in found]
    lengths = [float(len(a.split())) for a, _ in pairs]
    return WordErrors(
        texts=len(pairs),
        wer=ratio(wrong, lengths),
        cer=ratio(
            [float(c.substitutions + c.deletions + c.insertions) for c in letters],
            [float(len(a)) for a, _ in pairs],
        ),
        words=int(sum(lengths)),
        hits=sum(w.hits for w in found),
        substitutions=sum(w.substitutions for w in found),
        deletions=sum(w.deletions for w in found),
        insertions=sum(w.insertions for w in found),
        correct_texts=ratio([float(a == b) for a, b in pairs], [1.0] * len(pairs)),
    )


def edits(said: str, heard: str) -> tuple[Edit, ...]:
    """What turns the one text into the other, in order."""
    output = jiwer.process_words(plain(said), plain(heard))
    return tuple(
        Edit(
            kind=cast(EditKind, chunk.type),
            expected=" ".join(output.references[0][chunk.ref_start_idx : chunk.ref_end_idx]),
            actual=" ".join(output.hypotheses[0][chunk.hyp_start_idx : chunk.hyp_end_idx]),
        )
        for chunk in output.alignments[0]
    )


def edit_distance(heard: Sequence[Hashable], said: Sequence[Hashable]) -> int:
    """Levenshtein distance of two sequences: insertions, deletions and substitutions."""
    return int(Levenshtein.distance(said, heard))


def plain(text: str) -> str:
    """``text`` without differences of case and spacing."""
    return " ".join(text.casefold().split())
