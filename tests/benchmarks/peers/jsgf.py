"""A domain as a JSGF grammar (Java Speech Grammar Format 1.0), for PocketSphinx.

Rules follow the tree of the templates. (A rule for each state of the domain's acceptor would be
shorter, but PocketSphinx writes every reference out, and needs gigabytes for that.)
"""

from __future__ import annotations

from itertools import permutations

from models.domain import Domain
from models.domain import template as tree
from models.domain.values import phrases


def jsgf(domain: Domain) -> str:
    """The grammar of all sentences of the domain, without its skip words.

    Raises ValueError for a domain in which parts of a word stand in several nodes.
    """
    rules = _Rules()
    sentences = [rules.of(template.root) for template in domain.templates]
    words = {word for line in rules.lines for word in line.split() if word[0].isalpha()}
    if not words <= domain.words():
        raise ValueError(f"parts of words: {', '.join(sorted(words - domain.words()))}")
    public = f"public <sentence> = {' | '.join(sentences)};"
    return "\n".join(["#JSGF V1.0;", "grammar domain;", public, *rules.lines, ""])


class _Rules:
    """Gives every node that is more than a text a rule of its own."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[tree.Node | tree.ValueList, str] = {}

    def of(self, node: tree.Node) -> str:
        """What stands for a node in other rules."""
        if isinstance(node, tree.Text):
            return node.text.strip()
        key = node.values if isinstance(node, tree.Slot) else node
        if key not in self._names:
            body = self._body(node)
            self._names[key] = f"<r{len(self._names)}>"
            self.lines.append(f"{self._names[key]} = {body} ;")
        return self._names[key]

    def _body(self, node: tree.Node) -> str:
        if isinstance(node, tree.Slot):
            values = {p for value in node.values.values for p in phrases(value.node)}
            return " | ".join(sorted(values))
        if isinstance(node, tree.Choice):
            items = [text for item in node.items if (text := self.of(item))]
            inner = " | ".join(items)
            return f"[ {inner} ]" if node.optional else f"( {inner} )"
        assert isinstance(node, tree.Sequence | tree.Permutation)
        parts = [text for item in node.items if (text := self.of(item))]
        orders = permutations(parts) if isinstance(node, tree.Permutation) else [parts]
        return " | ".join(" ".join(order) for order in orders) or "<NULL>"
