"""A general bigram language model as the default ``Gr.fst`` of a speech model."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from models.vosk.fst import WeightedAcceptor, WeightedArc

DISCOUNT = 0.5
"""Absolute discount of seen bigrams (Ney, Essen and Kneser, 1994); the rest goes to back-off."""

UNSEEN_COUNT = 0.5
"""Added to every word's count, so that words without text can be said too."""

_BEGIN, _END, _BACK_OFF = "<s>", "</s>", "<backoff>"


def train_bigram(sentences: Iterable[Sequence[str]], words: dict[str, int]) -> WeightedAcceptor:
    """Bigram with absolute discounting and back-off over the word numbers of a model.

    Words that the model lacks are left out of the sentences.
    """
    vocabulary = {word for word in words if not word.startswith(("<", "["))}
    unigrams = Counter(dict.fromkeys(vocabulary, UNSEEN_COUNT))
    bigrams: defaultdict[str, Counter[str]] = defaultdict(Counter)
    bigrams[_BEGIN][_END] += 0
    for sentence in sentences:
        history = _BEGIN
        for word in [*(word for word in sentence if word in vocabulary), _END]:
            bigrams[history][word] += 1
            unigrams[word] += 1
            history = word
    return _Writer(words, unigrams, bigrams).write()


class _Writer:
    """Lays the model out as an acceptor: one state a history, one for back-off."""

    def __init__(
        self,
        words: dict[str, int],
        unigrams: Counter[str],
        bigrams: dict[str, Counter[str]],
    ) -> None:
        self._words = words
        self._unigrams = unigrams
        self._bigrams = {history: +counts for history, counts in bigrams.items() if +counts}
        self._total = sum(unigrams.values())
        self._grammar = WeightedAcceptor()
        self._states = {_BEGIN: 0, _BACK_OFF: self._grammar.add_state()}
        for history in self._bigrams:
            if history not in self._states:
                self._states[history] = self._grammar.add_state()

    def write(self) -> WeightedAcceptor:
        back_off = self._states[_BACK_OFF]
        for history, counts in self._bigrams.items():
            total = sum(counts.values())
            left = DISCOUNT * len(counts) / total
            for word, count in counts.items():
                smoothed = (count - DISCOUNT) / total + left * self._unigrams[word] / self._total
                self._add(self._states[history], word, -math.log(smoothed))
            self._grammar.arcs[self._states[history]].append(
                WeightedArc(0, -math.log(left), back_off)
            )
        for word, count in self._unigrams.items():
            self._add(back_off, word, -math.log(count / self._total))
        return self._grammar

    def _add(self, state: int, word: str, cost: float) -> None:
        if word == _END:
            self._grammar.finals[state] = cost
        else:
            target = self._states.get(word, self._states[_BACK_OFF])
            self._grammar.arcs[state].append(WeightedArc(self._words[word], cost, target))
