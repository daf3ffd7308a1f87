"""The configuration file that a search recommends: the user's own, comments and all, changed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from models.errors import ConfigurationError
from pipeline.configuration import Configuration
from pipeline.evaluation.tuning import Tuned, current, rates, with_values
from pipeline.loading import find_configuration, parse_configuration
from pipeline.trained import TRAINED, with_trained

SUFFIX = ".tuned.yaml"


def default_target(configuration: str) -> Path:
    """Beside the user's file; for a shipped configuration here."""
    path = find_configuration(configuration)
    folder = path.parent if Path(configuration).is_file() else Path()
    return folder / f"{path.stem}{SUFFIX}"


def write_recommendation(
    tuned: Tuned, configuration: str, settings: Configuration, data: str, target: Path
) -> None:
    """Write the configuration with its figures. Raises ConfigurationError, before anything is
    written, where its relative paths would mean other files at ``target``."""
    from ruamel.yaml import YAML

    source = find_configuration(configuration)
    yaml = YAML()
    yaml.preserve_quotes = True
    content: Any = yaml.load(source.read_text(encoding="utf-8")) or {}
    for key, value in tuned.values.items():
        section, *rest = key.split(".")
        if section == "understanders":
            entry = content.setdefault("understanders", [{"model": TRAINED}])[0]
            entry.pop("thresholds", None)
        else:
            entry = content.setdefault(section, {})
        was = current(settings, key)
        entry[rest[-1]] = value
        if hasattr(entry, "yaml_add_eol_comment"):
            entry.yaml_add_eol_comment(
                f"tuned; it was {'not set' if was is None else format(was, 'g')}", rest[-1]
            )
    text = io.StringIO()
    yaml.dump(content, text)
    written = _header(tuned, source, data) + text.getvalue()
    if with_trained(parse_configuration(written, target)) != with_values(settings, tuned.values):
        raise ConfigurationError(
            f"{target}: the relative paths in {source} would mean other files there; write it "
            "beside that file"
        )
    try:
        target.write_text(written, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{target}: can't be written ({error.strerror})") from error


def _header(tuned: Tuned, source: Path, data: str) -> str:
    lines = [
        f"{source.name}, tuned by intentd tune on {data}: {tuned.trials} trials.",
        "Three of four recordings were searched with; the others (held out) tell what it is worth.",
    ]
    for part, found in tuned.after.items():
        before = rates(tuned.before[part])
        lines += [
            f"{part}: {name} {before[name]} before, {rate} now"
            for name, rate in rates(found).items()
            if rate.value is not None
        ]
    test = tuned.held_out
    lines.append(
        f"held out: {test.better} got right, {test.worse} got wrong (McNemar, p = {test.p:.3g})."
    )
    return "".join(f"# {line}\n" for line in lines)
