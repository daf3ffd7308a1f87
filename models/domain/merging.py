"""Merge the YAML nodes of several domain files into one, so that each keeps its own place.

Home Assistant keeps a language in many files: one for each intent and kind of device, with
lists, rules and responses in files of their own. Files of its newer layout hold no intent's name:
that is the name of their folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from models.errors import DomainError

_ADDED = ("skip_words", "examples", "data")
"""Keys whose lists are joined; of any other value that stands twice, the last one counts."""


def merge(nodes: Sequence[Any]) -> Any:
    """One node for all; the only one as it is. Raises DomainError where two can't go together."""
    for node in nodes:
        _check_doubled(node)
    prepared = [_with_intent(node) for node in nodes]
    merged = prepared[0]
    for node in prepared[1:]:
        if not isinstance(node, yaml.MappingNode) or not isinstance(merged, yaml.MappingNode):
            mark = node.start_mark
            raise DomainError(f"{mark.name}, line {mark.line + 1}: must be a mapping of names")
        merged = _merge_mappings(merged, node, depth=0)
    return merged


def domain_files(path: Path) -> tuple[Path, ...]:
    """The files of a domain: the file itself, or all YAML files below a folder.

    Of a folder in the layout of Home Assistant's repository (``sentences``, ``rules``,
    ``lists``, ``responses``, ``tests``) the tests are left out. Raises DomainError for a folder
    without any.
    """
    if not path.is_dir():
        return (path,)
    parts = [path / part for part in ("rules", "lists", "responses", "sentences")]
    roots = parts if (path / "sentences").is_dir() else [path]
    found = [
        file
        for root in roots
        for file in sorted(root.rglob("*"))
        if file.suffix in {".yaml", ".yml"} and file.is_file()
    ]
    if not found:
        raise DomainError(f"{path}: the folder has no YAML file: a domain needs at least one")
    return tuple(found)


def _merge_mappings(first: Any, second: Any, depth: int) -> Any:
    pairs = {key.value: (key, value) for key, value in first.value}
    for key, value in second.value:
        if key.value not in pairs:
            pairs[key.value] = (key, value)
            continue
        old_key, old = pairs[key.value]
        if depth == 0 and key.value == "language" and old.value != value.value:
            raise DomainError(
                f"{value.start_mark.name}, line {value.start_mark.line + 1}: the language is "
                f"{value.value}, but {old.value} in {old.start_mark.name}"
            )
        pairs[key.value] = (old_key, _merge_values(str(key.value), old, value, depth))
    return yaml.MappingNode(
        first.tag, list(pairs.values()), first.start_mark, first.end_mark, first.flow_style
    )


def _merge_values(name: str, first: Any, second: Any, depth: int) -> Any:
    kinds = (type(first), type(second))
    # Deeper mappings are a list or an example: they are replaced as a whole.
    if kinds == (yaml.MappingNode, yaml.MappingNode) and depth < 2:
        return _merge_mappings(first, second, depth + 1)
    if kinds == (yaml.SequenceNode, yaml.SequenceNode) and name in _ADDED:
        return yaml.SequenceNode(
            first.tag,
            first.value + second.value,
            first.start_mark,
            first.end_mark,
            first.flow_style,
        )
    return second


def _with_intent(node: Any) -> Any:
    """``data: […]`` at the top becomes ``intents: {FOLDER: {data: […]}}``."""
    if not isinstance(node, yaml.MappingNode):
        return node
    pairs = []
    for key, value in node.value:
        if key.value != "data":
            pairs.append((key, value))
            continue
        name = Path(key.start_mark.name).parent.name
        intent = _mapping(_scalar(name, key), _mapping(_scalar("data", key), value, key), key)
        pairs.append((_scalar("intents", key), intent))
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark, node.flow_style)


def _scalar(text: str, place: Any) -> Any:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, place.start_mark, place.end_mark)


def _mapping(key: Any, value: Any, place: Any) -> Any:
    return yaml.MappingNode(
        "tag:yaml.org,2002:map", [(key, value)], place.start_mark, place.end_mark
    )


def _check_doubled(node: Any) -> None:
    """YAML lets the last of two equal keys win; the first would be lost without a word."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                mark = key.start_mark
                raise DomainError(
                    f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}: "
                    f"{key.value} stands here a second time: keep one of them"
                )
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
            _check_doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_doubled(item)
