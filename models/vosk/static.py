"""Static graphs of a grammar, ``HCLG.fst``: from transitions of the speech model to words.

Each state of the grammar gets the prefix tree of the words that may follow there, so a graph is
as small as its domain, needs no look-ahead, and can have words that its speech model lacks. Made
directly, without composition and determinization.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from models.vosk.fst import Transducer, WeightedAcceptor
from models.vosk.graph import GraphCosts
from models.vosk.lexicon import Lexicon
from models.vosk.phones import GARBAGE, SILENCE, UNKNOWN, PhoneSet

STRICT_COSTS: Final = GraphCosts(blank=0.5, silence=6.0, garbage=1.9)
"""Costs where nothing but whole sentences is possible. In noise the network hears blanks where
phones are: cheap ones let short sentences swallow long ones. A pause costs no more than 0.4 s of
blanks, so people may still hesitate."""


def build_static(
    grammar: WeightedAcceptor,
    words: Mapping[str, int],
    lexicon: Lexicon,
    phones: PhoneSet,
    costs: GraphCosts | None = None,
) -> Transducer:
    """The graph of an acceptor over word numbers; its empty arcs stay empty.

    ``lexicon`` must have every word on an arc, except ``[unk]``, which becomes a word of at least
    two garbage phones.
    """
    return _Builder(grammar, words, lexicon, phones, costs or STRICT_COSTS).build()


class _Builder:
    def __init__(
        self,
        grammar: WeightedAcceptor,
        words: Mapping[str, int],
        lexicon: Lexicon,
        phones: PhoneSet,
        costs: GraphCosts,
    ) -> None:
        self._grammar = grammar
        self._unknown = words.get(UNKNOWN)
        names = {number: word for word, number in words.items()}
        numbers = {arc.label for arcs in grammar.arcs for arc in arcs} - {0, self._unknown}
        self._ways = {number: lexicon[names[number]] for number in numbers}
        self._phones = phones
        self._costs = costs
        self._graph = Transducer()
        self._between: dict[int, int] = {}
        """State between words, by state of the grammar."""

        self._pauses: dict[int, int] = {}
        self._ends: dict[tuple[int, str], int] = {}

    def build(self) -> Transducer:
        start = self._pause(0)
        self._graph.add_arc(0, start, self._phones.forward(SILENCE))
        for state, arcs in enumerate(self._grammar.arcs):
            between = self._word_gap(state)
            if state in self._grammar.finals:
                self._graph.finals[between] = self._grammar.finals[state]
            following = defaultdict(list)
            for arc in arcs:
                if arc.label == 0:
                    target = self._word_gap(arc.target)
                    self._graph.add_arc(between, target, 0, weight=arc.weight)
                elif arc.label == self._unknown:
                    self._add_garbage(between, arc.label, arc.weight, arc.target)
                else:
                    for way in self._ways[arc.label]:
                        following[way].append(arc)
            tree: dict[Sequence[str], int] = {(): between}
            for way in sorted(following):
                for arc in following[way]:
                    self._add_word(tree, way, arc.label, arc.weight, arc.target)
        return self._graph

    def _word_gap(self, state: int) -> int:
        if state not in self._between:
            self._between[state] = self._graph.add_state()
        return self._between[state]

    def _pause(self, state: int) -> int:
        """The silence before ``state`` of the grammar."""
        if state not in self._pauses:
            pause = self._pauses[state] = self._graph.add_state()
            self._graph.add_arc(pause, pause, self._phones.loop(SILENCE))
            self._graph.add_arc(pause, self._word_gap(state), 0)
        return self._pauses[state]

    def _inside(self, phone: str) -> int:
        """A state behind the label of ``phone``, in which its blanks are emitted."""
        state = self._graph.add_state()
        self._graph.add_arc(state, state, self._phones.loop(phone), weight=self._costs.blank)
        return state

    def _end(self, state: int, phone: str) -> int:
        """Behind words that end in ``phone`` and lead to ``state``: on to the next, or a pause."""
        key = (state, phone)
        if key not in self._ends:
            end = self._ends[key] = self._inside(phone)
            silence = self._phones.forward(SILENCE)
            self._graph.add_arc(end, self._word_gap(state), 0)
            self._graph.add_arc(end, self._pause(state), silence, weight=self._costs.silence)
        return self._ends[key]

    def _add_word(
        self, tree: dict[Sequence[str], int], way: Sequence[str], word: int, cost: float, to: int
    ) -> None:
        if len(way) == 1:
            phone = f"{way[0]}_S"
        else:
            phone = f"{way[-1]}_E"
            for length in range(1, len(way)):
                if way[:length] not in tree:
                    inner = f"{way[length - 1]}_{'B' if length == 1 else 'I'}"
                    state = tree[way[:length]] = self._inside(inner)
                    source = tree[way[: length - 1]]
                    self._graph.add_arc(source, state, self._phones.forward(inner))
        source = tree[way[:-1]]
        self._graph.add_arc(source, self._end(to, phone), self._phones.forward(phone), word, cost)

    def _add_garbage(self, source: int, word: int, cost: float, to: int) -> None:
        """A word of at least two phones of any kind."""
        begin, internal, last = (f"{GARBAGE}_{position}" for position in "BIE")
        first, middle, end = self._inside(begin), self._inside(internal), self._end(to, last)
        each = self._costs.garbage
        total = self._costs.garbage_word + each + cost
        self._graph.add_arc(source, first, self._phones.forward(begin), word, total)
        for state in (first, middle):
            self._graph.add_arc(state, middle, self._phones.forward(internal), weight=each)
            self._graph.add_arc(state, end, self._phones.forward(last), weight=each)
