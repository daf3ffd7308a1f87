"""Labelled recordings, in each of the three forms that people have them in.

- NDJSON, a line ``{"audio": …, "text": …, "intent": …, "slots": {…}}`` for each recording; paths
  are relative to the file. ``intent`` is null for what must be rejected; without it the intent
  is not compared.
- A folder, with ``x.json`` (the same object) or ``x.txt`` (the words) beside ``x.wav``. From the
  words alone the domain's own sentences tell intent and slots, where they can.
- Labels as in Picovoice's benchmark: ``{"x.wav": {"intent": …, "slots": {…}}}``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from models.domain import Domain, Example
from models.errors import ConfigurationError, SourceError
from pipeline.expectations import read_ndjson
from stages.sources.paths import AUDIO_SUFFIXES, expand_path

LabelValue = str | int | float | bool


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recording should give. What is not set is not compared."""

    audio: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    intent: str | UnsetType | None = UNSET
    slots: dict[str, LabelValue] | UnsetType = UNSET


class LabelledRecording(msgspec.Struct, frozen=True, kw_only=True):
    """A recording and what it should give."""

    name: str
    """The path as the data gives it: the same on another machine."""

    path: str
    label: Label
    where: str
    """File, or file and line, of the label."""


def load_data(
    data: Path, *, audio: Path | None = None, domain: Domain | None = None
) -> tuple[LabelledRecording, ...]:
    """All recordings of ``data``, sorted by name.

    ``audio`` is the folder of the recordings where they don't lie beside their labels. Raises
    ConfigurationError or SourceError naming file and line: nothing there, a malformed label, one
    that says nothing, a recording that is missing or labelled twice.
    """
    if data.is_dir():
        found = list(_folder(data, domain))
    elif not data.exists():
        raise ConfigurationError(f"{data}: there is no such file or folder; check the path")
    elif _is_label_map(data):
        found = list(_label_map(data, audio))
    else:
        found = list(_ndjson(data, audio))
    if not found:
        raise ConfigurationError(f"{data}: holds no labelled recording; add some")
    seen: dict[str, LabelledRecording] = {}
    for recording in found:
        other = seen.setdefault(os.path.realpath(recording.path), recording)
        if other is not recording:
            raise ConfigurationError(
                f"{recording.where}: {recording.name} is labelled a second time "
                f"(first in {other.where}); keep one label"
            )
        _check_says_something(recording)
    return tuple(sorted(found, key=lambda recording: recording.name))


def _check_says_something(recording: LabelledRecording) -> None:
    label = recording.label
    if label.text is UNSET and label.intent is UNSET:
        raise ConfigurationError(f"{recording.where}: the label has no text and no intent; add one")
    if label.slots and not label.intent:
        raise ConfigurationError(
            f"{recording.where}: slots without an intent; name the intent or leave them out"
        )


def _ndjson(path: Path, audio: Path | None) -> Iterator[LabelledRecording]:
    for number, label in read_ndjson(path, Label):
        where = f"{path}:{number}"
        if label.audio is UNSET:
            raise ConfigurationError(f"{where}: key audio is missing; name the recording")
        yield LabelledRecording(
            name=label.audio,
            path=_find(label.audio, [audio or path.parent], where),
            label=label,
            where=where,
        )


def _folder(folder: Path, domain: Domain | None) -> Iterator[LabelledRecording]:
    for path in expand_path(str(folder)):
        stem = Path(path).with_suffix("")
        beside = [b for b in (stem.with_suffix(s) for s in (".json", ".txt")) if b.is_file()]
        if not beside:
            raise ConfigurationError(f"{path}: has no label; write {stem}.json or {stem}.txt")
        if len(beside) > 1:
            raise ConfigurationError(
                f"{path}: has two labels, {beside[0]} and {beside[1]}; keep one"
            )
        text = _read(beside[0])
        if beside[0].suffix == ".txt":
            label = _from_words(" ".join(text.split()), domain)
        else:
            label = _decode(text, str(beside[0]))
        yield LabelledRecording(
            name=os.path.relpath(path, folder), path=path, label=label, where=str(beside[0])
        )


def _from_words(text: str, domain: Domain | None) -> Label:
    """A label with what the domain's own sentences make of the words, if they agree."""
    readings = {
        (example.intent, tuple(sorted((k, str(v)) for k, v in example_slots(example).items())))
        for example in (domain.parses(text.lower()) if domain else ())
    }
    if len(readings) != 1:
        return Label(text=text)
    ((intent, slots),) = readings
    return Label(text=text, intent=intent, slots=dict(slots))


def example_slots(example: Example) -> dict[str, object]:
    """Values of all slots of a sentence, of those too that follow from it without words."""
    return {**dict(example.implied), **{slot.name: slot.value for slot in example.slots}}


def _is_label_map(path: Path) -> bool:
    """True for one JSON object of objects; NDJSON lines have texts at their first level."""
    try:
        data = json.loads(_read(path))
    except ValueError:
        return False
    return (
        isinstance(data, dict)
        and bool(data)
        and all(isinstance(value, dict) for value in data.values())
    )


def _label_map(path: Path, audio: Path | None) -> Iterator[LabelledRecording]:
    text = _read(path)
    pairs: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=list)
    folders = [audio] if audio else [path.parent, path.parent / "audio", path.parent / "speech"]
    begin = 0
    for name, content in pairs:
        begin = max(text.find(json.dumps(name), begin), begin)
        where = f"{path}:{text.count(chr(10), 0, begin) + 1}"
        begin += 1
        label = _decode(json.dumps(_as_dict(content, where)), where)
        yield LabelledRecording(
            name=name, path=_find(name, folders, where), label=label, where=where
        )


def _as_dict(pairs: Any, where: str) -> Any:
    """Pairs of a JSON object as a dict. Raises ConfigurationError for a key that stands twice."""
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        return pairs
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigurationError(f"{where}: key {key} stands here a second time; keep one")
    return {key: _as_dict(value, where) for key, value in pairs}


def _find(name: str, folders: list[Path], where: str) -> str:
    """The recording of that name; another suffix will do, as recordings get converted."""
    for folder in folders:
        path = folder / name
        if path.is_file():
            return str(path)
        for suffix in sorted(AUDIO_SUFFIXES):
            if path.with_suffix(suffix).is_file():
                return str(path.with_suffix(suffix))
    raise SourceError(
        f"{where}: the recording {name} is missing in {folders[0]}; "
        "copy it there, or say where the recordings are with --audio FOLDER"
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is no text in UTF-8 ({error.reason})") from error


def _decode(text: str, where: str) -> Label:
    try:
        return msgspec.json.decode(text.encode(), type=Label)
    except msgspec.DecodeError as error:
        keys = ", ".join(Label.__struct_fields__)
        raise ConfigurationError(f"{where}: {error}; a label is an object with {keys}") from error
