"""A long conversation with the daemon, made of the shipped recordings, and what it should hear."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from command_line import CommandLine

from pipeline.events import IntentEvent, NotRecognizedEvent

RATE = 16_000
COFFEE = Path(__file__).resolve().parents[0] / "replays" / "coffee"
UTTERANCES = sorted(p for p in COFFEE.iterdir() if p.suffix != ".ndjson")


@dataclass(frozen=True)
class Heard:
    """An utterance, less what is different each time: ids and times of day."""

    text: str
    start: float
    end: float
    intent: str
    slots: tuple[tuple[str, str], ...]


def make_conversation(path: Path, count: int, *, quiet: float = 2.0, seed: int = 5) -> Path:
    """``count`` utterances with one to two seconds of a quiet room between them.

    ``quiet`` is how many seconds of it follow the last one.
    """
    generator = np.random.default_rng(seed)

    def room(seconds: float) -> np.ndarray:
        return (generator.standard_normal(round(seconds * RATE)) * 3).astype("<i2")

    pieces = [room(2.0)]
    spoken = [_read(utterance) for utterance in UTTERANCES]
    for number in range(count):
        pieces += [spoken[number % len(spoken)], room(generator.uniform(1.2, 2.0))]
    soundfile.write(path, np.concatenate([*pieces, room(quiet)]), RATE)
    return path


def _read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)
    return np.clip(mono * 32767, -32768, 32767).astype("<i2")


def heard(event: IntentEvent | NotRecognizedEvent) -> Heard:
    """What counts of an event."""
    return Heard(
        text=event.text,
        start=event.speech.start,
        end=event.speech.end,
        intent=event.intent.name if isinstance(event, IntentEvent) and event.intent else "",
        slots=tuple((slot.name, str(slot.value)) for slot in event.slots),
    )


def undisturbed(intentd: CommandLine, configuration: Path, audio: Path) -> list[Heard]:
    """What a replay in which nothing dies gives."""
    done = intentd("replay", str(audio), "-c", str(configuration), "--format", "json", timeout=600)
    assert done.returncode == 0, done.stderr
    found = []
    for line in done.stdout.splitlines():
        event = json.loads(line)
        accepted = event["type"] == "intent"
        found.append(
            Heard(
                text=event["text"],
                start=event["speech"]["start"],
                end=event["speech"]["end"],
                intent=event["intent"]["name"] if accepted else "",
                slots=tuple((slot["name"], str(slot["value"])) for slot in event["slots"]),
            )
        )
    return found
