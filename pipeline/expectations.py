"""What recordings are expected to mean, and how what was understood differs from it.

Expectations are JSON objects ``{"text": …, "intent": …, "slots": {…}}``; text and slots are
optional, and ``intent`` is null for what must be rejected. They lie beside each recording
(``x.wav``, ``x.json``) or in one NDJSON file, where ``audio`` names the recording.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from models.errors import ConfigurationError
from models.metrics import plain, same_value
from pipeline.events import IntentEvent, UtteranceEvent
from stages.messages import Slot

_Line = TypeVar("_Line", bound=msgspec.Struct)

BESIDE = "beside"
"""Word for expectations that lie beside their recordings."""


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one recording should give."""

    intent: str | None
    text: str | None = None
    slots: dict[str, str | int | float | bool] | None = None
    audio: str | None = None


def load_expectations(where: str, files: Sequence[str]) -> dict[str, Expectation]:
    """The expectation of each of ``files``; ``where`` is an NDJSON file or ``beside``.

    Raises ConfigurationError naming file and line for malformed lines, a recording named twice,
    or a recording without an expectation.
    """
    if where == BESIDE:
        return {file: _load_beside(file) for file in files}
    listed = _load_ndjson(Path(where))
    by_name: dict[str, list[Expectation]] = {}
    for path, expectation in listed.items():
        by_name.setdefault(os.path.basename(path), []).append(expectation)
    found: dict[str, Expectation] = {}
    for file in files:
        same_name = by_name.get(os.path.basename(file), [])
        expectation_or_none = listed.get(os.path.realpath(file))
        if expectation_or_none is None and len(same_name) == 1:
            expectation_or_none = same_name[0]
        if expectation_or_none is None:
            raise ConfigurationError(f"{where}: has no line for {file}; add one")
        found[file] = expectation_or_none
    return found


def _load_beside(file: str) -> Expectation:
    path = Path(file).with_suffix(".json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Expectation)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: can't be read ({error.strerror}); write there what {file} should give"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _load_ndjson(path: Path) -> dict[str, Expectation]:
    listed: dict[str, Expectation] = {}
    for number, expectation in read_ndjson(path, Expectation):
        if expectation.audio is None:
            raise ConfigurationError(f"{path}:{number}: key audio is missing")
        audio = os.path.realpath(path.parent / expectation.audio)
        if audio in listed:
            raise ConfigurationError(f"{path}:{number}: {expectation.audio} stands here twice")
        listed[audio] = expectation
    return listed


def read_ndjson(path: Path, kind: type[_Line]) -> Iterator[tuple[int, _Line]]:
    """The objects of an NDJSON file with the numbers of their lines.

    Raises ConfigurationError naming file and line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            keys = ", ".join(kind.__struct_fields__)
            raise ConfigurationError(
                f"{path}:{number}: {error}; a line is a JSON object with {keys}"
            ) from error


def differences(expected: Expectation, events: Iterable[UtteranceEvent]) -> list[str]:
    """How the events of a recording differ from what was expected; empty when they don't.

    Utterances that were not recognised count only where nothing else was expected of them.
    """
    heard = list(events)
    meant = [event for event in heard if isinstance(event, IntentEvent)]
    found: list[str] = []
    if expected.text is not None:
        text = " ".join(event.text for event in (meant if len(meant) == 1 else heard))
        if plain(text) != plain(expected.text):
            found.append(f'text: expected "{expected.text}", heard "{text}"')
    names = [event.intent.name for event in meant]
    if names != ([] if expected.intent is None else [expected.intent]):
        wanted = expected.intent or "a rejection"
        found.append(f"intent: expected {wanted}, got {' and '.join(names) or 'none'}")
    elif meant and expected.slots is not None:
        found.extend(_slot_differences(expected.slots, meant[0].slots))
    return found


def _slot_differences(
    expected: dict[str, str | int | float | bool], slots: Sequence[Slot]
) -> list[str]:
    got = {slot.name: slot for slot in slots}
    found: list[str] = []
    for name, value in expected.items():
        slot = got.pop(name, None)
        if slot is None or not same_value(value, ways_to_write(slot)):
            actual = None if slot is None else ways_to_write(slot)[0]
            found.append(f"slot {name}: expected {value}, got {actual or 'none'}")
    for name, slot in got.items():
        found.append(f"slot {name}: not expected, got {ways_to_write(slot)[0]}")
    return found


def ways_to_write(slot: Slot) -> tuple[object, ...]:
    """What an expectation may say of a slot: its canonical value, or the words that were heard."""
    return (slot.value, slot.raw) if isinstance(slot.value, str) else (slot.raw, slot.value)
