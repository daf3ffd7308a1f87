"""Word-level finite acceptors of a domain's sentences, built without listing the sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Arc(NamedTuple):
    """A step from one state to another with a word."""

    source: int
    target: int
    word: str


@dataclass(frozen=True)
class Acceptor:
    """States, arcs and final states; it starts in state 0 and has no empty arcs."""

    arcs: tuple[Arc, ...]
    finals: Mapping[int, frozenset[str]]
    """Final states, each with the intents of the sentences that end there."""

    @property
    def states(self) -> int:
        """Number of states; they are 0 … states - 1."""
        ends = (max(arc.source, arc.target) for arc in self.arcs)
        return 1 + max((0, *ends, *self.finals))

    def intents(self, words: Sequence[str]) -> frozenset[str]:
        """Intents of the sentence ``words``; empty if it is not accepted."""
        following = self._following()
        current = {0}
        for word in words:
            current = {target for state in current for target in following[state].get(word, ())}
        return frozenset().union(*(self.finals.get(state, frozenset()) for state in current))

    def accepts(self, words: Sequence[str]) -> bool:
        """Whether ``words`` are a sentence."""
        return bool(self.intents(words))

    def determinized(self) -> Acceptor:
        """The same sentences with at most one arc a word out of each state."""
        following = self._following()
        numbers: dict[frozenset[int], int] = {frozenset({0}): 0}
        pending = list(numbers)
        arcs = []
        finals = {}
        while pending:
            subset = pending.pop()
            number = numbers[subset]
            intents: frozenset[str] = frozenset()
            targets: defaultdict[str, set[int]] = defaultdict(set)
            for state in subset:
                intents |= self.finals.get(state, frozenset())
                for word, found in following[state].items():
                    targets[word].update(found)
            if intents:
                finals[number] = intents
            for word in sorted(targets):
                key = frozenset(targets[word])
                if key not in numbers:
                    numbers[key] = len(numbers)
                    pending.append(key)
                arcs.append(Arc(number, numbers[key], word))
        return Acceptor(tuple(arcs), finals)

    def minimized(self) -> Acceptor:
        """The smallest acceptor of the same sentences that forgets which intent they have.

        Sentences are finite, so states are merged bottom up by their futures (Revuz, 1992).
        """
        source = self.determinized()
        outgoing: defaultdict[int, list[Arc]] = defaultdict(list)
        for arc in source.arcs:
            outgoing[arc.source].append(arc)
        merged: dict[int, int] = {}
        futures: dict[tuple[bool, tuple[tuple[str, int], ...]], int] = {}
        for state in _bottom_up(outgoing):
            steps = tuple(sorted((arc.word, merged[arc.target]) for arc in outgoing[state]))
            merged[state] = futures.setdefault((state in source.finals, steps), len(futures))
        # The start is merged last, so counting backwards makes it state 0.
        top = len(futures) - 1
        arcs = tuple(
            Arc(top - number, top - target, word)
            for (_, steps), number in reversed(futures.items())
            for word, target in steps
        )
        ends = {top - number: frozenset({""}) for (final, _), number in futures.items() if final}
        return Acceptor(arcs, ends)

    def _following(self) -> dict[int, dict[str, list[int]]]:
        following: defaultdict[int, dict[str, list[int]]] = defaultdict(dict)
        for arc in self.arcs:
            following[arc.source].setdefault(arc.word, []).append(arc.target)
        return following


def _bottom_up(outgoing: Mapping[int, list[Arc]]) -> Iterator[int]:
    """States reachable from 0, each after all that follow it. There must be no cycle."""
    done: set[int] = set()
    stack = [(0, False)]
    while stack:
        state, ready = stack.pop()
        if ready:
            yield state
        elif state not in done:
            done.add(state)
            stack.append((state, True))
            stack.extend((arc.target, False) for arc in outgoing.get(state, ()))
