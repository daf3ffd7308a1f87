"""Grammars: what a domain's users may say, as an acceptor over the words of a speech model.

Unlike the grammar that Vosk builds at run time (a bigram over given phrases), a strict grammar
accepts exactly the domain's sentences, silence, and speech outside the domain. A blended one is a
bigram that prefers the domain and lets people say anything else in the model's words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.domain import WILDCARD, Acceptor, Arc, Domain
from models.vosk.bigram import train_bigram
from models.vosk.fst import WeightedAcceptor, WeightedArc
from models.vosk.phones import UNKNOWN

UNKNOWN_COST = 0.0
"""Cost of taking speech as outside the domain, on top of what the graph charges for the word and
each of its garbage phones. Lower (also below 0) rejects more foreign speech, and more commands that
were spoken unclearly; large domains, with their short sentences, need less than small ones."""

BRANCHING_WEIGHT = 0.95
"""Cost of a choice among n ways to go on, divided by ln n: all ways are equally likely. "A lot of"
is two choices where "lots of" is one, and in noise the simpler sentence is the better guess."""

EMPTY_COST = 0.5
"""Cost of taking a segment as silence."""

BLEND_SAMPLES = 20_000
BLEND_WEIGHT = 2
"""Sampled sentences of a domain in a blended grammar, and how often each counts: enough to prefer
the domain, while other sentences stay possible."""


def strict_grammar(
    sentences: Acceptor, words: Mapping[str, int], unknown_cost: float = UNKNOWN_COST
) -> WeightedAcceptor:
    """The sentences of a minimal acceptor over word numbers; ``words`` must have them all.

    Where any words may be said, it takes the sounds of speech outside the domain.
    """
    choices = _branching_costs(sentences)
    grammar = WeightedAcceptor(
        [[] for _ in range(sentences.states)],
        {state: choices[state] for state in sentences.finals},
    )
    any_words = {WILDCARD: words[UNKNOWN]} if UNKNOWN in words else {}
    words = {**words, **any_words}
    for arc in sentences.arcs:
        cost = choices[arc.source]
        grammar.arcs[arc.source].append(WeightedArc(words[arc.word], cost, arc.target))
    grammar.finals.setdefault(0, EMPTY_COST)
    if UNKNOWN in words:
        foreign = grammar.add_state()
        grammar.arcs[0].append(WeightedArc(words[UNKNOWN], unknown_cost, foreign))
        grammar.finals[foreign] = 0.0
    return grammar


def _branching_costs(sentences: Acceptor) -> list[float]:
    """Cost of each way out of each state; to end is one of the ways."""
    ways = Counter([*(arc.source for arc in sentences.arcs), *sentences.finals])
    return [BRANCHING_WEIGHT * math.log(max(1, ways[state])) for state in range(sentences.states)]


def blended_grammar(
    sentences: Iterable[Sequence[str]],
    general: Iterable[Sequence[str]],
    words: Mapping[str, int],
) -> WeightedAcceptor:
    """A bigram of general sentences and of sentences of a domain, which count more."""
    # What is sampled for a wildcard may have words that nobody needs to hear.
    known = [sentence for sentence in sentences if words.keys() >= set(sentence)]
    return train_bigram([*general, *(known * BLEND_WEIGHT)], dict(words))


def sample_sentences(domain: Domain) -> Iterator[list[str]]:
    """Words of the sentences that a blended grammar learns a domain from."""
    for example in domain.sample(BLEND_SAMPLES, seed=5):
        yield example.text.split()


def list_acceptor(sentences: Iterable[Sequence[str]]) -> Acceptor:
    """The smallest acceptor of the given sentences."""
    arcs: dict[tuple[int, str], int] = {}
    finals = {}
    for sentence in sentences:
        state = 0
        for word in sentence:
            state = arcs.setdefault((state, word), len(arcs) + 1)
        if sentence:
            finals[state] = frozenset({""})
    tree = (Arc(source, target, word) for (source, word), target in arcs.items())
    return Acceptor(tuple(tree), finals).minimized()
