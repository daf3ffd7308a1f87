"""General n-grams as the ``Gr.fst`` of a speech model, for free dictation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.ngram import BEGIN, END, BackOffModel, Gram, train
from models.vosk.fst import WeightedAcceptor, WeightedArc
from models.vosk.phones import UNKNOWN

MINIMUM = (1, 1, 2, 2)
"""How often an n-gram of each order must have been seen to be kept."""

RAREST = 1e-8
"""Share of a word of which nothing is known."""


def train_ngram(
    sentences: Iterable[Sequence[str]],
    words: Mapping[str, int],
    shares: Mapping[str, float],
    order: int = 3,
    minimum: Sequence[int] = MINIMUM,
) -> WeightedAcceptor:
    """An n-gram (modified Kneser-Ney) over the word numbers of a model.

    ``shares`` say how common words are in general, which decides on those that the sentences
    hardly have. A sentence is cut at words that the model lacks.
    """
    return ngram_grammar(
        train(pieces(sentences, words), order, prior=priors(words, shares), minimum=minimum)
    )


def priors(words: Mapping[str, int], shares: Mapping[str, float]) -> dict[int, float]:
    """Weights of all numbers of words, and of the end, for words that texts hardly have."""
    prior = {
        number: max(shares.get(word, 0.0), RAREST)
        for word, number in words.items()
        if word not in ("<eps>", UNKNOWN)
    }
    prior[END] = sum(prior.values()) / 10
    return prior


def pieces(sentences: Iterable[Sequence[str]], words: Mapping[str, int]) -> Iterator[list[int]]:
    """The numbers of the sentences' words, cut where a word has none."""
    for sentence in sentences:
        piece: list[int] = []
        for word in (*sentence, UNKNOWN):
            number = words.get(word)
            if number is not None and word != UNKNOWN:
                piece.append(number)
            elif piece:
                yield piece
                piece = []


def ngram_grammar(model: BackOffModel) -> WeightedAcceptor:
    """An acceptor with a state for each history, and empty arcs for back-off."""
    histories = {gram[:-1] for level in model.probabilities[1:] for gram in level} | {()}
    start: Gram = (BEGIN,) if (BEGIN,) in histories else ()
    ordered = [start, *sorted(histories - {start}, key=lambda history: (len(history), history))]
    states = {history: state for state, history in enumerate(ordered)}
    grammar = WeightedAcceptor([[] for _ in ordered])
    for level in model.probabilities:
        for gram, share in level.items():
            source = states[gram[:-1]]
            if gram[-1] == END:
                grammar.finals[source] = -share
            else:
                arc = WeightedArc(gram[-1], -share, states[_longest(gram, states)])
                grammar.arcs[source].append(arc)
    for history, state in states.items():
        if history:
            shorter = states[_longest(history[1:], states)]
            left = model.back_offs.get(history, 0.0)
            grammar.arcs[state].append(WeightedArc(0, -left, shorter))
    return grammar


def _longest(history: Gram, states: Mapping[Gram, int]) -> Gram:
    """The longest ending of ``history`` that has a state."""
    while history not in states:
        history = history[1:]
    return history
