"""Guess pronunciations from spelling: an n-gram over pieces of spelling with their phones.

A word is spelled and spoken by one sequence of graphones, such as ``l:L a:AA tt:T e:EY`` (Bisani
and Ney, 2008); the n-gram says how likely a sequence is, and the pronunciation is that of the
likeliest sequences which spell the word.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from heapq import nlargest
from pathlib import Path

from models.pronunciation.phones import Phones
from models.pronunciation.trie import FIRST, LARGEST_COST, Trie, read_trie

FILE = Path(__file__).resolve().parents[1] / "weights" / "pronunciation-en" / "joint_ngram.xz"

BEAM = 16
"""Hypotheses that are kept at each letter."""

_NONE = -1e30


class JointNgram:
    """Says how words that no dictionary has may be spoken."""

    def __init__(self, trie: Trie) -> None:
        self._trie = trie
        self._spelled: dict[str, list[tuple[int, Phones]]] = {}
        for number, (letters, phones) in enumerate(trie.graphones, start=FIRST):
            self._spelled.setdefault(letters, []).append((number, phones))
        self._longest = max(map(len, self._spelled))
        self._children = trie.children()
        self._costs = trie.costs.tolist()
        self._back_offs = trie.back_offs.tolist()
        self._shorter = trie.shorter().tolist()

    def guess(self, word: str, count: int = 1) -> tuple[Phones, ...]:
        """The ``count`` likeliest pronunciations of ``word``, best first.

        Accents are taken off, signs that are no letters left out. Empty if nothing is left, or
        letters are not those of English.
        """
        letters = simplify(word)
        layers: list[dict[tuple[int, Phones], float]] = [{} for _ in range(len(letters) + 1)]
        layers[0][self._step(0, 0)[0], ()] = 0.0
        beam = max(BEAM, 3 * count)
        for at in range(len(letters)):
            kept = nlargest(beam, layers[at].items(), key=lambda entry: entry[1])
            for width in range(1, min(self._longest, len(letters) - at) + 1):
                pieces = self._spelled.get(letters[at : at + width], ())
                self._extend(kept, pieces, layers[at + width])
        ended: dict[Phones, float] = {}
        for (state, phones), score in layers[-1].items():
            total = score - self._step(state, 1)[1]
            if phones and total > ended.get(phones, _NONE):
                ended[phones] = total
        return tuple(sorted(ended, key=lambda phones: (-ended[phones], phones))[:count])

    def _extend(
        self,
        kept: list[tuple[tuple[int, Phones], float]],
        pieces: list[tuple[int, Phones]] | tuple[()],
        layer: dict[tuple[int, Phones], float],
    ) -> None:
        for (state, phones), score in kept:
            for number, added in pieces:
                following, cost = self._step(state, number)
                key = (following, phones + added)
                if score - cost > layer.get(key, _NONE):
                    layer[key] = score - cost

    def _step(self, state: int, symbol: int) -> tuple[int, float]:
        """The state behind ``symbol``, and its cost."""
        cost = 0.0
        while True:
            found = self._children.get((state, symbol))
            if found is not None:
                return found, cost + self._costs[found]
            if state == 0:
                return 0, cost + LARGEST_COST
            cost += self._back_offs[state]
            state = self._shorter[state]


@cache
def read_model(path: Path = FILE) -> JointNgram:
    """The model in a file; raises ModelError if it is missing or damaged."""
    return JointNgram(read_trie(path))


def simplify(word: str) -> str:
    """``word`` as lower-case letters and apostrophes without accents."""
    plain = unicodedata.normalize("NFKD", word.lower()).replace("’", "'")
    return "".join(sign for sign in plain if sign.isalpha() or sign == "'").strip("'")
