"""Pronunciations of a speech model's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from models.errors import ModelError
from models.pronunciation import PHONES, Phones, Pronouncer, read_pronunciations
from models.vosk.fst import Transducer
from models.vosk.lookahead import read_lookahead
from models.vosk.phones import SILENCE, UNKNOWN, PhoneSet
from models.vosk.words import read_words

Lexicon = dict[str, tuple[tuple[str, ...], ...]]
"""Pronunciations of each word, as CMU phones without stress."""

ADDITIONS = Path(__file__).with_name("pronunciations.txt")
"""Words that the dictionary lacks: ``WORD PHONE PHONE …``."""


def pronounce(
    words: Iterable[str], additions: Path = ADDITIONS, *, guesses: int = 0
) -> tuple[Lexicon, tuple[str, ...]]:
    """Pronunciations of ``words`` in the CMU dictionary and ``additions``; the words without.

    A word that both lack gets so many ``guesses`` from its spelling.
    """
    pronouncer = Pronouncer({}, read_pronunciations(additions), guesses=guesses)
    found, missing = pronouncer.pronounce_all(words)
    return {word: entry.ways for word, entry in found.items()}, missing


def read_lexicon(model: Path) -> Lexicon:
    """The pronunciations in the word graph (``HCLr.fst``) of a speech model.

    Raises ModelError if the graph is not a tree of these phones, as in models from elsewhere.
    """
    graph = model / "graph"
    try:
        data = (graph / "HCLr.fst").read_bytes()
    except OSError as error:
        raise ModelError(f"{graph / 'HCLr.fst'} can't be read: {error.strerror}") from None
    phones = PhoneSet.read(graph / "phones.txt")
    words = {number: word for word, number in read_words(graph / "words.txt").items()}
    try:
        tree = _Tree(read_lookahead(data)[0], phones)
        found: dict[str, dict[Phones, None]] = {}
        for number, way in tree.pronunciations():
            if words[number] != UNKNOWN:
                found.setdefault(words[number], {})[way] = None
    except (ModelError, LookupError) as error:
        raise ModelError(
            f"{graph} is not the word graph of a model that intentd made ({error}): "
            "new words need such a model"
        ) from None
    return {word: tuple(ways) for word, ways in sorted(found.items())}


class _Tree:
    """Walks the prefix tree that ``models.vosk.graph`` writes."""

    def __init__(self, graph: Transducer, phones: PhoneSet) -> None:
        self._arcs = graph.arcs
        self._names = {}
        for name in phones.ids:
            base = name.rpartition("_")[0]
            if base in PHONES:
                self._names[phones.forward(name)] = base
        (start,) = graph.arcs[0]
        if start.input != phones.forward(SILENCE):
            raise LookupError("it does not begin with silence")
        (self._loop,) = graph.finals

    def pronunciations(self) -> Iterator[tuple[int, Phones]]:
        """Numbers of words, with their phones."""
        pending: list[tuple[int, Phones]] = [(self._loop, ())]
        while pending:
            state, before = pending.pop()
            for arc in self._arcs[state]:
                if arc.output:
                    name = self._names.get(arc.input)
                    # No name: the garbage phone of [unk].
                    yield arc.output, (*before, name) if name else ()
                elif arc.input in self._names:
                    if len(before) > len(self._arcs):
                        raise LookupError("it has a cycle")
                    pending.append((arc.target, (*before, self._names[arc.input])))
