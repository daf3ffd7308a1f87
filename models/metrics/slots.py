"""Slot F1 as in CoNLL-2003: a slot is right when its name and all of its extent are.

A slot is a pair of its name and anything that tells its extent: first and last word where the
words are given, its value where they were recognised and may differ. Slots that stand more than
once in an utterance count as often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

import msgspec

from models.metrics.labels import Scores, scores
from models.metrics.rates import Rate, ratio

Chunk = tuple[str, Hashable]
"""Name and extent."""


class SlotScores(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of all slots together (micro-averaged) and of each name."""

    precision: Rate
    recall: Rate
    f1: Rate
    by_slot: dict[str, Scores]


def slot_scores(
    expected: Sequence[Iterable[Chunk]], found: Sequence[Iterable[Chunk]]
) -> SlotScores:
    """Compare the slots of each utterance."""
    wanted = [Counter(chunks) for chunks in expected]
    got = [Counter(chunks) for chunks in found]
    common = [a & b for a, b in zip(wanted, got, strict=True)]
    of, among, both = _sizes(wanted), _sizes(got), _sizes(common)
    names = sorted({name for chunks in (*wanted, *got) for name, _ in chunks})
    by_name = [_by_name(counts) for counts in (wanted, got, common)]
    return SlotScores(
        precision=ratio(both, among),
        recall=ratio(both, of),
        f1=ratio([2 * n for n in both], [a + b for a, b in zip(of, among, strict=True)]),
        by_slot={name: scores(*(counts[name] for counts in by_name)) for name in names},
    )


def bio_chunks(tags: Sequence[str]) -> set[tuple[str, tuple[int, int]]]:
    """Slots of one sentence's BIO tags with first and last word (IOB2, strict).

    A slot begins at B-; an I- without a slot of its name before it is no slot.
    """
    chunks: set[tuple[str, tuple[int, int]]] = set()
    name, first = "", 0
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, label = tag.partition("-")
        if prefix == "I" and label == name:
            continue
        if name:
            chunks.add((name, (first, place - 1)))
        name, first = (label, place) if prefix == "B" else ("", place)
    return chunks


def _sizes(counts: Sequence[Counter[Chunk]]) -> list[float]:
    return [float(sum(count.values())) for count in counts]


def _by_name(counts: Sequence[Counter[Chunk]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        for (name, _), number in count.items():
            total[name] += number
    return total
