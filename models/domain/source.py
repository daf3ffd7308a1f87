"""Read domain files, check their shape, and remember where everything in them stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from models.domain.merging import merge
from models.errors import DomainError
from models.yaml_tree import MalformedYamlError, compose, construct

KeyPath = tuple[str | int, ...]
"""Keys and indices that lead to a value: ``("lists", "area", "values", 3)``."""

GIVEN = "<lists given>"
"""Stands for the file's name in messages about what was given beside the files."""


class Source:
    """The merged data of one domain's files, and where each part of it was written."""

    def __init__(self, paths: Iterable[Path], extra: Mapping[str, Any] | None = None) -> None:
        """Parse and merge files; ``extra`` is merged last, as if it stood in one more file.

        Raises DomainError for unreadable, malformed or empty files.
        """
        self.paths = tuple(paths)
        nodes = [_compose(path) for path in self.paths]
        if extra:
            nodes.append(_compose_text(yaml.safe_dump(dict(extra)), GIVEN))
        self._node = merge(nodes)
        try:
            data = construct(self._node)
        except MalformedYamlError as error:
            raise _malformed(str(self._node.start_mark.name), error) from None
        self.data: dict[str, Any] = self.mapping(data, ())

    @property
    def strict(self) -> bool:
        """Whether all of it is one file, whose author sees all of it at once.

        Of many files, like Home Assistant's, some hold rules that only files elsewhere use, and
        sentences that can only be written.
        """
        return len(self.paths) == 1

    def fail(self, path: KeyPath, problem: str) -> NoReturn:
        """Raise a DomainError that names the file, line, column, the key and the problem."""
        _, key_mark = self._find(path)
        self._raise(path, key_mark, 0, problem)

    def fail_inside(self, path: KeyPath, text: str, fragment: str, problem: str) -> NoReturn:
        """Like ``fail``, at the place of ``fragment`` in the template ``text`` at ``path``."""
        node, mark = self._find(path)
        offset = max(0, text.find(fragment))
        if isinstance(node, yaml.ScalarNode):
            # Block scalars (| and >) begin on the next line: their first line is good enough.
            mark = node.start_mark
            offset += 1 if node.style in {'"', "'"} else 0
        self._raise(path, mark, offset, problem)

    def mapping(self, value: object, path: KeyPath) -> dict[str, Any]:
        """``value`` as a mapping with string keys, or a DomainError."""
        if not isinstance(value, dict):
            self.fail(path, f"must be a mapping of names, not {_kind(value)}")
        for key in value:
            if not isinstance(key, str):
                self.fail((*path, key), f"the name {key!r} must be a string: put it in quotes")
        return value

    def sequence(self, value: object, path: KeyPath) -> list[Any]:
        """``value`` as a list with at least one entry, or a DomainError."""
        if not isinstance(value, list):
            self.fail(path, f"must be a list, not {_kind(value)}")
        if not value:
            self.fail(path, "the list is empty: add an entry or remove the key")
        return value

    def string(self, value: object, path: KeyPath) -> str:
        """``value`` as a string that is not blank, or a DomainError."""
        if not isinstance(value, str):
            self.fail(path, f"must be a string, not {_kind(value)}: put it in quotes")
        if not value.strip():
            self.fail(path, "is blank: write some words")
        return value

    def integer(self, value: object, path: KeyPath) -> int:
        """``value`` as an integer, or a DomainError."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(path, f"must be a whole number, not {_kind(value)}")
        return value

    def known_keys(self, value: Mapping[str, Any], known: tuple[str, ...], path: KeyPath) -> None:
        """Raise a DomainError for the first key that nobody reads."""
        for key in value:
            if key not in known:
                self.fail((*path, key), f"unknown key; known are {', '.join(known)}")

    def place(self, path: KeyPath) -> tuple[str, int]:
        """File and line of the value at ``path``."""
        _, mark = self._find(path)
        return str(mark.name), int(mark.line) + 1

    def _raise(self, path: KeyPath, mark: Any, offset: int, problem: str) -> NoReturn:
        key = ".".join(str(part) for part in path)
        where = f"{mark.name}, line {mark.line + 1}, column {mark.column + 1 + offset}"
        raise DomainError(f"{where}: {key}: {problem}" if key else f"{where}: {problem}")

    def _find(self, path: KeyPath) -> tuple[Any, Any]:
        """Node at ``path`` and the mark of its key, or of the deepest part that was written."""
        node, mark = self._node, self._node.start_mark
        for part in path:
            found = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(part):
                        found, mark = value, key.start_mark
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                found = node.value[part]
                mark = found.start_mark
            if found is None:
                break
            node = found
        return node, mark


def _compose(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DomainError(f"{path}: there is no such domain file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"{path}: can't be read as UTF-8 text: {error}") from None
    node = _compose_text(text, str(path))
    if node is None:
        raise DomainError(f"{path}: the file is empty: it needs at least one intent")
    return node


def _compose_text(text: str, name: str) -> Any:
    try:
        return compose(text, name)
    except MalformedYamlError as error:
        raise _malformed(name, error) from None


def _malformed(name: str, error: MalformedYamlError) -> DomainError:
    line = f", line {error.line}, column {error.column}" if error.line else ""
    return DomainError(f"{name}{line}: not valid YAML: {error.problem}")


def _kind(value: object) -> str:
    """What a person would call ``value``."""
    if value is None:
        return "nothing"
    names = {bool: "true or false", dict: "a mapping", list: "a list", str: "a string"}
    return names.get(type(value), f"{value!r}")
