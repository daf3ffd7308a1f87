"""From logits to probabilities and to a valid sequence of BIO tags.

A BIO sequence is valid when every ``I-x`` follows ``B-x`` or ``I-x`` (Ramshaw and Marcus 1995).
The best valid one is found by Viterbi's algorithm over the log-probabilities of the tags, to
which the log-ratio of how often a tag follows another can be added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.mobilebert.labels import OUTSIDE, START

COUNT_SMOOTHING = 0.1
"""Added to every transition count. Smaller values trust rare and unseen transitions less."""

Scores = npt.NDArray[np.float64]


def softmax(logits: npt.NDArray[np.floating], temperature: float = 1.0) -> Scores:
    """Probabilities over the last axis, float64 of the same shape, from finite logits."""
    scaled = np.asarray(logits, np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=-1, keepdims=True)
    return scaled


def transition_scores(
    tags: Sequence[str],
    counts: Mapping[str, Mapping[str, float]] | None = None,
    weight: float = 0.0,
) -> Scores:
    """Score of each tag behind each other, [tags + 1, tags]; the last row is the start.

    Transitions that BIO forbids are minus infinity; the others are
    ``weight * log(P(tag | previous) / P(tag))`` estimated from ``counts``, or 0 without them.
    """
    scores = np.zeros((len(tags) + 1, len(tags)))
    if counts and weight:
        table = np.full_like(scores, COUNT_SMOOTHING)
        for row, before in enumerate((*tags, START)):
            for tag, count in counts.get(before, {}).items():
                table[row, tags.index(tag)] += count
        given = np.log(table / table.sum(axis=1, keepdims=True))
        scores = weight * (given - np.log(table.sum(axis=0) / table.sum()))
    for column, tag in enumerate(tags):
        if tag.startswith("I-"):
            allowed = {f"B-{tag[2:]}", tag}
            for row, before in enumerate((*tags, START)):
                if before not in allowed:
                    scores[row, column] = -np.inf
    return scores


def viterbi(emissions: Scores, transitions: Scores) -> npt.NDArray[np.intp]:
    """Best tag of each word [words] from log-scores [words, tags] and [tags + 1, tags]."""
    words, tags = emissions.shape
    path = np.zeros(words, np.intp)
    if words == 0:
        return path
    back = np.zeros((words, tags), np.intp)
    best = transitions[tags] + emissions[0]
    into = np.ascontiguousarray(transitions[:tags].T)  # argmax is fastest along the last axis
    every = np.arange(tags)
    for word in range(1, words):
        reach = into + best
        from_tag = reach.argmax(axis=1, out=back[word])
        best = reach[every, from_tag] + emissions[word]
    path[-1] = best.argmax()
    for word in range(words - 1, 0, -1):
        path[word - 1] = back[word, path[word]]
    return path


class TagDecoder:
    """Turns the scores of one text's words into a valid BIO sequence.

    A subset of slots can be asked for; the tags of all others are then impossible.
    """

    def __init__(
        self,
        tags: Sequence[str],
        counts: Mapping[str, Mapping[str, float]] | None = None,
        weight: float = 0.0,
    ) -> None:
        self._tags = tuple(tags)
        self._transitions = transition_scores(self._tags, counts, weight)
        self._subsets: dict[frozenset[str], tuple[npt.NDArray[np.intp], Scores]] = {}

    def decode(self, probabilities: Scores, slots: Collection[str] | None = None) -> list[int]:
        """Indices of the best valid tags for probabilities [words, tags]."""
        emissions = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
        path: list[int]
        if slots is None:
            path = viterbi(emissions, self._transitions).tolist()
        else:
            kept, transitions = self._subset(frozenset(slots))
            path = kept[viterbi(emissions[:, kept], transitions)].tolist()
        return path

    def spans(self, path: Sequence[int]) -> Iterator[tuple[str, int, int]]:
        """Yield name, first word and word behind the last one of each slot in a valid path."""
        start = None
        for word, index in enumerate([*path, self._tags.index(OUTSIDE)]):
            tag = self._tags[index]
            if start is not None and not tag.startswith("I-"):
                yield self._tags[path[start]][2:], start, word
                start = None
            if tag.startswith("B-"):
                start = word

    def _subset(self, slots: frozenset[str]) -> tuple[npt.NDArray[np.intp], Scores]:
        if slots not in self._subsets:
            kept = [i for i, tag in enumerate(self._tags) if tag == OUTSIDE or tag[2:] in slots]
            rows = [*kept, len(self._tags)]
            self._subsets[slots] = (
                np.array(kept, np.intp),
                self._transitions[np.ix_(rows, kept)],
            )
        return self._subsets[slots]
