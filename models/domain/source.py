"""Read a domain file, check its shape, and remember which line everything stands on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from models.errors import DomainError

KeyPath = tuple[str | int, ...]
"""Keys and indices that lead to a value: ``("lists", "area", "values", 3)``."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Source:
    """A parsed domain file: its data, and where each part of it was written."""

    def __init__(self, path: Path) -> None:
        """Parse ``path``; raises DomainError for unreadable, malformed or empty files."""
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise DomainError(f"{path}: there is no such domain file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise DomainError(f"{path}: can't be read as UTF-8 text: {error}") from None
        try:
            self._node = yaml.compose(text, Loader=_Loader)
            data = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or "malformed"
            raise DomainError(f"{path}{line}: not valid YAML: {problem}") from None
        if data is None:
            raise DomainError(f"{path}: the file is empty: it needs at least one intent")
        self.data: dict[str, Any] = self.mapping(data, ())

    def fail(self, path: KeyPath, problem: str) -> NoReturn:
        """Raise a DomainError that names the file, the line, the key and the problem."""
        key = ".".join(str(part) for part in path)
        where = f"{self.path}, line {self._line(path)}"
        raise DomainError(f"{where}: {key}: {problem}" if key else f"{where}: {problem}")

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

    def _line(self, path: KeyPath) -> int:
        """Line of the value at ``path``, or of the deepest part of it that was written."""
        node, line = self._node, 1
        for part in path:
            found = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(part):
                        found, line = value, key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                found = node.value[part]
                line = found.start_mark.line + 1
            if found is None:
                break
            node = found
        return int(line)


def _kind(value: object) -> str:
    """What a person would call ``value``."""
    if value is None:
        return "nothing"
    names = {bool: "true or false", dict: "a mapping", list: "a list", str: "a string"}
    return names.get(type(value), f"{value!r}")
