"""Loads a configuration file: YAML to structures, with the line of every mistake."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from models.errors import ConfigurationError
from models.paths import expand
from models.yaml_tree import MalformedYamlError, parse
from pipeline.configuration import (
    AnswerSection,
    Configuration,
    MicrophoneSection,
    SatelliteSection,
    Section,
    SecuritySection,
)
from pipeline.security.door import is_guarded, is_loopback, key_folder

SHIPPED = Path(__file__).resolve().parent.parent / "configs"
"""The configurations that come with the project."""

_Lines = dict[str, int]


def shipped_names() -> list[str]:
    """Names of the shipped configurations."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def find_configuration(name_or_path: str) -> Path:
    """The file that is meant by ``-c NAME|FILE``. Raises ConfigurationError."""
    path = Path(name_or_path)
    looks_like_path = path.suffix in {".yaml", ".yml"} or "/" in name_or_path
    if not looks_like_path and (SHIPPED / f"{name_or_path}.yaml").is_file():
        return SHIPPED / f"{name_or_path}.yaml"
    if path.is_file():
        return path
    if looks_like_path:
        raise ConfigurationError(f"{name_or_path}: no such configuration file")
    names = shipped_names()
    close = difflib.get_close_matches(name_or_path, names, 1)
    hint = f"did you mean {close[0]}?" if close else f"shipped are: {', '.join(names)}"
    raise ConfigurationError(f"no configuration named {name_or_path}; {hint}")


def find_domain(name_or_path: str, beside: Path | None = None) -> Path:
    """The domain that is meant: shipped by name, or a file or folder relative to ``beside``."""
    shipped = SHIPPED / "domains" / f"{name_or_path}.yaml"
    if shipped.is_file():
        return shipped
    path = expand(name_or_path)
    for candidate in ([beside / path] if beside else []) + [path]:
        if candidate.exists():
            return candidate
    shipped_domains = (path.stem for path in (SHIPPED / "domains").glob("*.yaml"))
    names = ", ".join(sorted(name for name in shipped_domains if "." not in name))
    raise ConfigurationError(
        f"domain {name_or_path}: no such file or folder, nor a shipped domain of that name "
        f"({names})"
    )


def load_configuration(name_or_path: str) -> Configuration:
    """The configuration in a file or of a shipped name.

    Raises ConfigurationError naming file, line and key for malformed YAML, unknown or doubled
    keys, wrong types, values out of range, endpoints that would listen beyond loopback, and
    something trained that isn't there.
    """
    path = find_configuration(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: can't be read: {error}") from error
    from pipeline.trained import with_trained  # which needs this module

    return with_trained(parse_configuration(text, path))


def parse_configuration(text: str, path: Path) -> Configuration:
    """The configuration in ``text``; ``path`` is named in errors and resolves relative paths."""
    data, lines = _parse_yaml(text, path)
    try:
        configuration = msgspec.convert(data, Configuration)
    except msgspec.ValidationError as error:
        raise _explain(error, lines, path) from error
    configuration = _resolve(configuration, path.resolve().parent)
    _check(configuration, lines, path)
    return configuration


def _parse_yaml(text: str, path: Path) -> tuple[Any, _Lines]:
    try:
        node, data = parse(text)
    except MalformedYamlError as error:
        where = f"{path}:{error.line}" if error.line else str(path)
        raise ConfigurationError(f"{where}: not valid YAML: {error.problem}") from error
    lines: _Lines = {}
    if node is not None:
        _note_lines(node, "$", lines, path)
    return ({} if data is None else data), lines


def _note_lines(node: yaml.Node, at: str, lines: _Lines, path: Path) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise ConfigurationError(
                    f"{path}:{key.start_mark.line + 1}: key {name} stands here a second time"
                )
            seen.add(name)
            lines[f"{at}.{name}"] = key.start_mark.line + 1
            _note_lines(value, f"{at}.{name}", lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, f"{at}[{index}]", lines, path)


def _explain(error: msgspec.ValidationError, lines: _Lines, path: Path) -> ConfigurationError:
    problem, _, at = str(error).partition(" - at `")
    at = at.rstrip("`") or "$"
    unknown = re.search(r"unknown field `(.*)`", problem)
    if unknown:
        at = f"{at}.{unknown.group(1)}"
        known = _keys_beside(at)
        close = difflib.get_close_matches(unknown.group(1), known, 1)
        hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
        problem = f"unknown key{hint if known else ''}"
    line = lines.get(at) or lines.get(at.rpartition(".")[0]) or 1
    key = at.removeprefix("$").removeprefix(".") or "the file"
    return ConfigurationError(f"{path}:{line}: {key}: {problem}")


def _keys_beside(at: str) -> list[str]:
    """Known keys of the section in which ``at`` stands."""
    kind: Any = Configuration
    for part in re.findall(r"[^.\[\]]+", at.removeprefix("$"))[:-1]:
        if part.isdigit():
            continue
        fields = {f.name: f.type for f in msgspec.structs.fields(kind)}
        if part not in fields:
            return []
        names = re.findall(r"\b\w+Section\b", str(fields[part]))
        kinds = [c for c in _sections() if c.__name__ in names]
        if len(kinds) != 1:
            return sorted({f.name for c in kinds for f in msgspec.structs.fields(c)})
        kind = kinds[0]
    return [f.name for f in msgspec.structs.fields(kind)]


def _sections() -> list[type[msgspec.Struct]]:
    return list(Section.__subclasses__())


def _check(configuration: Configuration, lines: _Lines, path: Path) -> None:
    names = [source.name for source in configuration.sources]
    for index, name in enumerate(names):
        if name in names[:index]:
            line = lines.get(f"$.sources[{index}].name") or lines.get(f"$.sources[{index}]", 1)
            raise ConfigurationError(
                f"{path}:{line}: sources[{index}].name: {name} is taken; give each source its own"
            )
    endpoints = {
        f"publisher.endpoints[{index}]": endpoint
        for index, endpoint in enumerate(configuration.publisher.endpoints)
    } | {
        f"sources[{index}].endpoint": source.endpoint
        for index, source in enumerate(configuration.sources)
        if isinstance(source, SatelliteSection)
    }
    for at, endpoint in endpoints.items():
        problem = endpoint_problem(endpoint, configuration.security)
        if problem:
            line = lines.get(f"$.{at}", 1)
            raise ConfigurationError(f"{path}:{line}: {at}: {problem}")
    microphones = [
        index
        for index, source in enumerate(configuration.sources)
        if isinstance(source, MicrophoneSection)
    ]
    if configuration.placement == "thread" and len(microphones) > 1:
        # PortAudio finds a device that is back only by forgetting all that are open in the process.
        line = lines.get(f"$.sources[{microphones[1]}]", 1)
        raise ConfigurationError(
            f"{path}:{line}: sources[{microphones[1]}]: placement: thread can do with one "
            "microphone only, because a lost one could not come back beside another; write "
            "placement: process"
        )
    if configuration.transcriber.grammar == "domain" and configuration.domain is None:
        line = lines.get("$.transcriber.grammar", 1)
        raise ConfigurationError(
            f"{path}:{line}: transcriber.grammar: domain needs the key domain at the top level"
        )


def endpoint_problem(endpoint: str, security: SecuritySection) -> str | None:
    """Why an endpoint can't be listened at, or None.

    Beyond this machine nothing listens without a key, and then to allowed keys only.
    """
    if endpoint.startswith("ipc://") and len(endpoint) > len("ipc://"):
        return None
    match = re.fullmatch(r"tcp://(.+):(\d+)", endpoint)
    if not match or not 0 < int(match.group(2)) < 65536:
        return f"{endpoint} is no endpoint: write tcp://127.0.0.1:PORT or ipc://PATH"
    if not is_guarded(endpoint, security):
        return None
    try:
        key_folder(security).own(security.key)
    except ConfigurationError as error:
        where = "on this machine" if is_loopback(endpoint) else "beyond this machine"
        return f"{endpoint} would listen {where}, which needs a key: {error.message}"
    return None


def _resolve(configuration: Configuration, folder: Path) -> Configuration:
    """Paths in the file are relative to the file."""

    def locate(name: str | None) -> str | None:
        if name is None or not (folder / expand(name)).exists():
            return name
        looks_like_path = "/" in name or Path(name).suffix
        return str(folder / expand(name)) if looks_like_path else name

    replace = msgspec.structs.replace
    transcriber = configuration.transcriber
    security = configuration.security
    if security.keys is not None:
        keys = str(folder / expand(security.keys))
        security = replace(security, keys=keys)
    keep = configuration.keep_audio
    if keep is not None:
        keep = replace(keep, dir=str(folder / expand(keep.dir)))
    return replace(
        configuration,
        security=security,
        keep_audio=keep,
        domain=locate(configuration.domain),
        transcriber=replace(
            transcriber,
            model=locate(transcriber.model),
            grammar=locate(transcriber.grammar),
        ),
        understanders=tuple(
            replace(u, model=locate(u.model), domain=locate(u.domain))
            for u in configuration.understanders
        ),
        annotators=tuple(
            replace(
                a,
                model=locate(a.model),
                documents=tuple(str(folder / expand(d)) for d in a.documents),
            )
            if isinstance(a, AnswerSection)
            else replace(a, model=locate(a.model))
            for a in configuration.annotators
        ),
    )
