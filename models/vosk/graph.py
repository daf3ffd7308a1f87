"""The word graph of a speech model: ``HCLr.fst``, ``words.txt`` and the phone files.

It is written directly as a prefix tree of transitions, without determinization, and as a
look-ahead graph, which Vosk joins with any grammar over its words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.vosk.fst import Transducer
from models.vosk.lexicon import Lexicon
from models.vosk.lookahead import lookahead_fst
from models.vosk.phones import GARBAGE, SILENCE, UNKNOWN, PhoneSet
from models.vosk.words import words_text


@dataclass(frozen=True)
class GraphCosts:
    """Costs of the paths through a graph, as negative log-probabilities."""

    blank: float = 0.05
    """Of each blank frame inside a word; keeps words from swallowing pauses."""

    silence: float = 0.5
    """Of a pause between words."""

    garbage: float = 0.9
    """Of each phone of a word outside the vocabulary. The garbage phone is always the most likely
    one, so this is what a word of the vocabulary may lose against it: lower rejects more."""

    garbage_word: float = 2.0
    """Of each word outside the vocabulary."""


class WordTree:
    """Transitions and words of all pronunciations, joined where they begin alike."""

    def __init__(
        self,
        phones: PhoneSet,
        lexicon: Lexicon,
        words: dict[str, int],
        costs: GraphCosts | None = None,
    ) -> None:
        self._phones = phones
        self._costs = costs or GraphCosts()
        self._words = words
        self.arcs: list[tuple[int, int, int, int, float]] = []
        """Source, target, transition, word, cost."""

        self._states = 0
        self._ends: dict[str, int] = {}
        self._start = self._new()
        self.loop = self._new()
        """The state between words; also the only final state."""

        self._silence = self._new()
        self._arc(self._start, self._silence, phones.forward(SILENCE))
        self._arc(self._silence, self._silence, phones.loop(SILENCE))
        self._arc(self._silence, self.loop, 0)
        tree: dict[tuple[str, ...], int] = {}
        for word in sorted(lexicon):
            for pronunciation in lexicon[word]:
                self._add(tree, pronunciation, words[word])
        if f"{GARBAGE}_B" in phones.ids:
            self._add_garbage()

    def _new(self) -> int:
        self._states += 1
        return self._states - 1

    def _arc(
        self, source: int, target: int, transition: int, word: int = 0, cost: float = 0.0
    ) -> None:
        self.arcs.append((source, target, transition, word, cost))

    def _inside(self, phone: str) -> int:
        """A state behind the label of ``phone``, in which its blanks are emitted."""
        state = self._new()
        self._arc(state, state, self._phones.loop(phone), cost=self._costs.blank)
        return state

    def _end(self, phone: str) -> int:
        """The state behind words that end in ``phone``: on to the next, or a pause."""
        if phone not in self._ends:
            state = self._ends[phone] = self._inside(phone)
            self._arc(state, self.loop, 0)
            self._arc(state, self._silence, self._phones.forward(SILENCE), cost=self._costs.silence)
        return self._ends[phone]

    def _add(self, tree: dict[tuple[str, ...], int], phones: tuple[str, ...], word: int) -> None:
        if len(phones) == 1:
            single = f"{phones[0]}_S"
            self._arc(self.loop, self._end(single), self._phones.forward(single), word)
            return
        state = self.loop
        for length in range(1, len(phones)):
            prefix = phones[:length]
            phone = f"{phones[length - 1]}_{'B' if length == 1 else 'I'}"
            if prefix not in tree:
                tree[prefix] = self._inside(phone)
                self._arc(state, tree[prefix], self._phones.forward(phone))
            state = tree[prefix]
        last = f"{phones[-1]}_E"
        self._arc(state, self._end(last), self._phones.forward(last), word)

    def _add_garbage(self) -> None:
        """A word of at least two phones of any kind."""
        begin, internal, last = (f"{GARBAGE}_{position}" for position in "BIE")
        first, middle, end = self._inside(begin), self._inside(internal), self._end(last)
        word = self._words[UNKNOWN]
        cost = self._costs.garbage_word + self._costs.garbage
        self._arc(self.loop, first, self._phones.forward(begin), word, cost)
        for state in (first, middle):
            self._arc(state, middle, self._phones.forward(internal), cost=self._costs.garbage)
            self._arc(state, end, self._phones.forward(last), cost=self._costs.garbage)

    def transducer(self) -> Transducer:
        """The graph, its states numbered in the order in which the arcs name them."""
        numbers: dict[int, int] = {}
        for source, target, *_ in self.arcs:
            numbers.setdefault(source, len(numbers))
            numbers.setdefault(target, len(numbers))
        graph = Transducer([[] for _ in numbers], {numbers[self.loop]: 0.0})
        for source, target, transition, word, cost in self.arcs:
            graph.add_arc(numbers[source], numbers[target], transition, word, cost)
        return graph


def number_words(words: Iterable[str], phones: PhoneSet) -> dict[str, int]:
    """Numbers for the words of a graph: nothing, ``[unk]`` if there is garbage, and ``words``."""
    special = ["<eps>", UNKNOWN] if f"{GARBAGE}_B" in phones.ids else ["<eps>"]
    return {word: number for number, word in enumerate([*special, *sorted(words)])}


def word_graph(lexicon: Lexicon, phones: PhoneSet) -> tuple[bytes, dict[str, int]]:
    """The bytes of an ``HCLr.fst``, and the numbers of its words."""
    words = number_words(lexicon, phones)
    data, numbers = lookahead_fst(WordTree(phones, lexicon, words).transducer())
    return data, {word: numbers.get(number, 0) for word, number in words.items()}


def build_graph(folder: Path, phones: PhoneSet, lexicon: Lexicon) -> dict[str, int]:
    """Write ``HCLr.fst``, ``words.txt`` and the phone files into ``folder``.

    Returns the words with their numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, words = word_graph(lexicon, phones)
    (folder / "HCLr.fst").write_bytes(data)
    (folder / "words.txt").write_text(words_text(words), encoding="utf-8")
    phones.write(folder)
    return words
