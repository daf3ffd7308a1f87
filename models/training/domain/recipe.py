"""What trained heads depend on, as hashes: so that only what changed is done again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.domain import Domain
from models.domain import template as tree
from models.errors import DomainError
from models.training.domain.texts import open_slots, written_outside

RECIPE = 2
"""Counts changes of the training itself: each makes all heads out of date."""


def recipe_hash(domain: Domain, base: str, seed: int) -> str:
    """Hash of all that the heads are made from: sentences, closed lists, base and seed.

    The values of open lists are left out: the heads know a name by the words around it.
    """
    digest = hashlib.sha256(repr((RECIPE, base, seed, domain.language)).encode())
    digest.update(repr((domain.skip_words, written_outside(domain))).encode())
    shape = _Shape(frozenset(open_slots(domain)))
    for template in domain.templates:
        digest.update(f"{template.intent}\0{shape.of(template.root)}\0".encode())
    return digest.hexdigest()


def content_hash(path: Path) -> str:
    """Hash of a domain file, or of all files of a domain's folder. Raises DomainError."""
    files = sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    try:
        for file in files:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    except OSError as error:
        raise DomainError(f"{path}: can't be read: {error.strerror}") from None
    return digest.hexdigest()


class _Shape:
    """Writes trees as text, each subtree once."""

    def __init__(self, open_slots: frozenset[str]) -> None:
        self._open = open_slots
        self._written: dict[int, str] = {}

    def of(self, node: tree.Node) -> str:
        if id(node) not in self._written:
            self._written[id(node)] = hashlib.sha256(self._text(node).encode()).hexdigest()
        return self._written[id(node)]

    def _text(self, node: tree.Node) -> str:
        if isinstance(node, tree.Text):
            return f"text {node.text}"
        if isinstance(node, tree.Slot):
            if node.name in self._open:
                return f"slot {node.name} of {node.values.name}"
            values = [(self.of(value.node), value.value) for value in node.values.values]
            return f"slot {node.name} of {values}"
        return f"{type(node).__name__} {[self.of(item) for item in node.items]}"
