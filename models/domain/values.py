"""What stands inside template trees: their slots, and the phrases of list values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

from models.domain import template as tree


def slots_in(node: tree.Node) -> Iterator[tree.Slot]:
    """Every slot inside ``node``."""
    if isinstance(node, tree.Slot):
        yield node
    elif not isinstance(node, tree.Text):
        for item in node.items:
            yield from slots_in(item)


def phrases(node: tree.Node) -> Iterator[str]:
    """Every text that ``node`` stands for, with single blanks. For list values, which are small."""
    for text in _expand(node):
        yield " ".join(text.split())


def _expand(node: tree.Node) -> Iterator[str]:
    if isinstance(node, tree.Text):
        yield node.text
    elif isinstance(node, tree.Choice):
        for item in node.items:
            yield from _expand(item)
    elif isinstance(node, tree.Slot):
        for value in node.values.values:
            yield from _expand(value.node)
    else:
        orders = permutations(node.items) if isinstance(node, tree.Permutation) else [node.items]
        for order in orders:
            for parts in product(*map(_expand, order)):
                yield "".join(parts)
