"""YAML that is safe to walk: no code, no aliases that unfold into millions of nodes.

A few hundred bytes of aliases to aliases ("billion laughs") stand for more nodes than fit in any
memory, and a node may contain itself. Everything that walks the data afterwards relies on this.
"""

from __future__ import annotations

import io
from typing import Any, Final

import yaml

MOST_NODES: Final = 500_000
"""Nodes of a file with its aliases unfolded; the largest domain of ours has some 10,000."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class MalformedYamlError(Exception):
    """Text that is not YAML, or not safe to walk. Lines and columns count from 1, 0: unknown."""

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


class _NamedText(io.StringIO):
    """Text whose name YAML's marks repeat."""

    name = ""


def parse(text: str) -> tuple[yaml.Node | None, Any]:
    """The tree with its lines, and the data. Raises MalformedYamlError for everything else."""
    node = compose(text)
    return node, None if node is None else construct(node)


def compose(text: str, name: str = "") -> yaml.Node | None:
    """The tree of ``text``, None if it is empty; its marks carry ``name``.

    Raises MalformedYamlError.
    """
    stream = _NamedText(text)
    stream.name = name
    try:
        node: yaml.Node | None = yaml.compose(stream, Loader=_Loader)
        if node is not None:
            _unfolded(node, {})
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        last = text.count("\n", 0, len(text.rstrip("\n"))) + 1
        line, column = (min(mark.line + 1, last), mark.column + 1) if mark else (0, 0)
        raise MalformedYamlError(error.problem or "malformed", line, column) from error
    except _UNMARKED as error:
        raise MalformedYamlError(_said(error)) from error
    return node


def construct(node: yaml.Node) -> Any:
    """The data of a tree. Raises MalformedYamlError, for 2001-99-99 is no date."""
    try:
        return _Loader("").construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or node.start_mark
        raise MalformedYamlError(
            error.problem or "malformed", mark.line + 1, mark.column + 1
        ) from error
    except _UNMARKED as error:
        raise MalformedYamlError(_said(error)) from error


_UNMARKED = (RecursionError, yaml.YAMLError, ValueError, TypeError, OverflowError, AttributeError)
"""PyYAML's constructors let Python's own errors through."""


def _said(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply, or contains itself"
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _unfolded(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many nodes a walk meets; raises MalformedYamlError for too many or a walk without end."""
    known = sizes.get(id(node))
    if known is not None:
        if known < 0:
            raise MalformedYamlError("an alias contains itself", node.start_mark.line + 1)
        return known
    sizes[id(node)] = -1
    size = 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            size += _unfolded(key, sizes) + _unfolded(value, sizes)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            size += _unfolded(value, sizes)
    if size > MOST_NODES:
        raise MalformedYamlError("aliases unfold into too much", node.start_mark.line + 1)
    sizes[id(node)] = size
    return size
