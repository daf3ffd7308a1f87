"""Strict grammars: a domain's sentences as the ``Gr.fst`` of a speech model.

Unlike the grammar that Vosk builds at run time (a bigram over given phrases), it accepts exactly
the domain's sentences, silence, and speech outside the domain.
"""

from __future__ import annotations

from models.domain import Domain
from models.errors import ModelError
from models.vosk.fst import WeightedAcceptor, WeightedArc
from models.vosk.phones import UNKNOWN

UNKNOWN_COST = 0.0
"""Cost of taking speech as outside the domain, on top of what the graph charges for the word and
each of its garbage phones. Lower (also below 0) rejects more foreign speech, and more commands
that were spoken unclearly; large domains, with their short sentences, need less than small ones."""

EMPTY_COST = 0.5
"""Cost of taking a segment as silence."""


def compile_grammar(
    domain: Domain, words: dict[str, int], unknown_cost: float = UNKNOWN_COST
) -> WeightedAcceptor:
    """The domain's sentences over the word numbers of a model; minimal and deterministic.

    ``words`` are those of the model's ``words.txt``. Raises ModelError that names the words
    that the model lacks.
    """
    acceptor = domain.acceptor().minimized()
    missing = sorted({arc.word for arc in acceptor.arcs} - words.keys())
    if missing:
        raise ModelError(
            f"the speech model lacks words of the domain {domain.name}: {', '.join(missing)}; "
            "add them to the model or take them out of the domain"
        )
    grammar = WeightedAcceptor(
        [[] for _ in range(acceptor.states)], dict.fromkeys(acceptor.finals, 0.0)
    )
    for arc in acceptor.arcs:
        grammar.arcs[arc.source].append(WeightedArc(words[arc.word], 0.0, arc.target))
    grammar.finals.setdefault(0, EMPTY_COST)
    if UNKNOWN in words:
        foreign = grammar.add_state()
        grammar.arcs[0].append(WeightedArc(words[UNKNOWN], unknown_cost, foreign))
        grammar.finals[foreign] = 0.0
    return grammar
