"""N-grams of graphones as a trie, and its file.

A node is an n-gram; its parent is the n-gram without the last symbol; node 0 is the empty one.
Nodes are numbered by order, then by parent and symbol. Symbol 0 is the beginning of a word, 1 its
end, the others are graphones.

The file is LZMA of these parts, little endian: the graphones in UTF-8, one a line, as letters, a
blank, and phones joined by ``-``; a zero byte; the order as uint8 and the number of nodes of each
order as uint32; then for all nodes but the root: how much the parent's number is above that of
the node before (uint16; for the first node, above 0), the symbol (uint16), and the costs of the
n-gram and of its back-off (uint8, in steps of STEP).
"""

from __future__ import annotations

import lzma
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.ngram import BEGIN, END, BackOffModel, Gram
from models.pronunciation.phones import Phones

STEP = 0.08
"""Resolution of stored costs (natural logarithms)."""

LARGEST_COST = 255 * STEP

SHIFT = 4.0
"""Added to back-off costs before they are stored, as they may be below zero."""

FIRST = 2
"""The symbol of the first graphone."""

Graphone = tuple[str, Phones]
Integers = NDArray[np.int64]
Costs = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trie:
    """Arrays have an element for each node."""

    graphones: list[Graphone]
    levels: list[int]
    """Number of nodes of each order, from 1 on."""

    parents: Integers
    symbols: Integers
    costs: Costs
    """Of the last symbol of the n-gram behind the others."""

    back_offs: Costs
    """Of going on with a shorter history."""

    def children(self) -> dict[tuple[int, int], int]:
        """Nodes by parent and symbol."""
        pairs = zip(self.parents.tolist(), self.symbols.tolist(), strict=True)
        found = {pair: node for node, pair in enumerate(pairs)}
        del found[0, -1]
        return found

    def shorter(self) -> Integers:
        """For each node, that of its longest proper ending which is a node."""
        width = len(self.graphones) + FIRST
        keys = self.parents * width + self.symbols
        keys[0] = -1
        found = np.zeros(len(keys), np.int64)
        begin = 1 + self.levels[0]
        for count in self.levels[1:]:
            nodes = np.arange(begin, begin + count)
            begin += count
            history = self.parents[nodes]
            while len(nodes):
                history = found[history]
                wanted = history * width + self.symbols[nodes]
                at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
                there = keys[at] == wanted
                found[nodes[there]] = at[there]
                # Where even the single symbol is no n-gram, the empty history is left.
                open_ = ~there & (history != 0)
                nodes, history = nodes[open_], history[open_]
        return found


def build_trie(model: BackOffModel, graphones: list[Graphone]) -> Trie:
    """The trie of an n-gram model whose numbers are places in ``graphones``."""
    special = {BEGIN: 0, END: 1}

    def coded(gram: Gram) -> Gram:
        return tuple(special.get(number, number + FIRST) for number in gram)

    parents, symbols, costs, back_offs = [0], [-1], [0.0], [0.0]
    numbers: dict[Gram, int] = {(): 0}
    levels: list[int] = []
    for level in model.probabilities:
        grams = {coded(gram): (-share, gram) for gram, share in level.items()}
        if not levels:
            grams[(0,)] = (0.0, (BEGIN,))
        for gram in sorted(grams, key=lambda gram: (numbers[gram[:-1]], gram[-1])):
            cost, original = grams[gram]
            numbers[gram] = len(parents)
            parents.append(numbers[gram[:-1]])
            symbols.append(gram[-1])
            costs.append(cost)
            back_offs.append(-model.back_offs.get(original, 0.0))
        levels.append(len(grams))
    return Trie(
        graphones,
        levels,
        np.array(parents),
        np.array(symbols),
        np.array(costs),
        np.array(back_offs),
    )


def pack_trie(trie: Trie) -> bytes:
    """The bytes of a file; the same for the same trie."""
    lines = "\n".join(f"{letters} {'-'.join(phones)}" for letters, phones in trie.graphones)
    head = struct.pack(f"<B{len(trie.levels)}I", len(trie.levels), *trie.levels)
    parts = [
        np.diff(trie.parents).astype("<u2"),
        trie.symbols[1:].astype("<u2"),
        _quantised(trie.costs[1:]),
        _quantised(trie.back_offs[1:] + SHIFT),
    ]
    data = lines.encode() + b"\0" + head + b"".join(part.tobytes() for part in parts)
    return lzma.compress(data, preset=6)


def _quantised(costs: Costs) -> NDArray[np.uint8]:
    return np.clip(np.rint(costs / STEP), 0, 255).astype(np.uint8)


def read_trie(path: Path) -> Trie:
    """The trie in a file; raises ModelError if it is missing or damaged."""
    try:
        return unpack_trie(path.read_bytes())
    except (OSError, ModelError) as error:
        raise ModelError(f"{path} is no n-gram of graphones: {error}; install it anew") from None


def unpack_trie(packed: bytes) -> Trie:
    """The trie that ``pack_trie`` packed; raises ModelError if it is damaged."""
    try:
        lines, _, data = lzma.decompress(packed).partition(b"\0")
        graphones: list[Graphone] = []
        for line in lines.decode().split("\n"):
            letters, _, phones = line.partition(" ")
            graphones.append((letters, tuple(phones.split("-")) if phones else ()))
        levels = list(struct.unpack_from(f"<{data[0]}I", data, 1))
        at = 1 + 4 * len(levels)
        count = sum(levels)
        parents = np.frombuffer(data, "<u2", count, at).astype(np.int64)
        symbols = np.frombuffer(data, "<u2", count, at + 2 * count).astype(np.int64)
        costs = np.frombuffer(data, np.uint8, count, at + 4 * count) * STEP
        back_offs = np.frombuffer(data, np.uint8, count, at + 5 * count) * STEP - SHIFT
    except (lzma.LZMAError, UnicodeDecodeError, ValueError, IndexError, struct.error) as error:
        raise ModelError(str(error)) from None
    zero = np.zeros(1, np.int64)
    return Trie(
        graphones,
        levels,
        np.concatenate([zero, np.cumsum(parents)]),
        np.concatenate([zero - 1, symbols]),
        np.concatenate([zero.astype(float), costs]),
        np.concatenate([zero.astype(float), back_offs]),
    )
