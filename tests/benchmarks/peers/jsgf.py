"""A domain as a JSGF grammar (Java Speech Grammar Format 1.0), for PocketSphinx.

Rules follow the tree of the templates. PocketSphinx writes every reference to a rule out and
searches every path there is, so that no sentence may have two: alternatives share the words that
they begin with, and of the orders of optional parts each stands once. (Lists written out and six
orders of three optional parts made the same language fifty times slower.)
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations, product

from models.domain import Domain
from models.domain import template as tree

Atoms = tuple[str, ...]
"""Words and references to rules, one after the other."""


def jsgf(domain: Domain) -> str:
    """The grammar of all sentences of the domain, without its skip words.

    Raises ValueError for a domain in which parts of a word stand in several nodes.
    """
    rules = _Rules()
    sentences = _factored(rules.atoms(template.root) for template in domain.templates)
    words = {word for line in rules.lines() for word in line.split() if word[0].isalpha()}
    if not words <= domain.words():
        raise ValueError(f"parts of words: {', '.join(sorted(words - domain.words()))}")
    public = f"public <sentence> = {sentences} ;"
    return "\n".join(["#JSGF V1.0;", "grammar domain;", public, *rules.lines(), ""])


class _Rules:
    """A rule for each thing that is more than words one after the other; equal things share it."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def lines(self) -> list[str]:
        """All rules."""
        return [f"{name} = {body} ;" for body, name in self._names.items()]

    def atoms(self, node: tree.Node) -> Atoms:
        """What stands for a node in other rules."""
        if isinstance(node, tree.Text):
            return tuple(node.text.split())
        if isinstance(node, tree.Sequence):
            return tuple(atom for item in node.items for atom in self.atoms(item))
        return self._rule(self._alternatives(node))

    def _alternatives(self, node: tree.Node) -> list[Atoms]:
        if isinstance(node, tree.Slot):
            return [self.atoms(value.node) for value in node.values.values]
        if isinstance(node, tree.Choice):
            return [self.atoms(item) for item in node.items]
        assert isinstance(node, tree.Permutation)
        ways = [self._ways(item) for item in node.items]
        return [
            tuple(atom for part in parts for atom in part)
            for order in permutations(ways)
            for parts in product(*order)
        ]

    def _ways(self, node: tree.Node) -> list[Atoms]:
        """A part of a permutation: as it stands or, where it may be left out, there or not."""
        if isinstance(node, tree.Sequence):
            items = [item for item in node.items if self.atoms(item)]
            if len(items) == 1:
                return self._ways(items[0])
        if isinstance(node, tree.Choice) and node.optional:
            there = [found for item in node.items if (found := self.atoms(item))]
            return [self._rule(there), ()]
        return [self.atoms(node)]

    def _rule(self, alternatives: list[Atoms]) -> Atoms:
        if len(set(alternatives)) == 1:
            return alternatives[0]
        body = _factored(alternatives)
        return (self._names.setdefault(body, f"<r{len(self._names)}>"),)


def _factored(alternatives: Iterable[Atoms]) -> str:
    """The alternatives, with what they begin with written once."""
    rests: dict[str, list[Atoms]] = {}
    optional = False
    for atoms in alternatives:
        if atoms:
            rests.setdefault(atoms[0], []).append(atoms[1:])
        else:
            optional = True
    parts = [f"{head} {_factored(tails)}".strip() for head, tails in rests.items()]
    inner = " | ".join(parts)
    if optional:
        return f"[ {inner} ]" if parts else ""
    return inner if len(parts) == 1 else f"( {inner} )"
