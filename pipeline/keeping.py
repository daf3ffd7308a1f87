"""Utterances on disk, for those who ask for it: sound and event of each, for a limited time.

Off unless the configuration says ``keep_audio``. The folder is the user's alone (0700, files
0600). Age and size are enforced at start and after every utterance.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from models.errors import ConfigurationError
from models.paths import expand
from pipeline.configuration import Configuration, KeepAudioSection
from pipeline.event_maker import EventMaker
from pipeline.events import UtteranceEvent, to_json
from pipeline.plan import WorkerSpec
from pipeline.runner import Stage, forget, models_of
from stages.messages import (
    SAMPLE_RATE,
    EndOfStream,
    Endpoint,
    ErrorReport,
    SpeechChunk,
    StageMessage,
    Transcript,
)

DAY: Final = 86_400.0
MEGABYTE: Final = 1_000_000
SOUND, EVENT = ".flac", ".event.json"


class Keeper:
    """A folder of utterances with bounds."""

    def __init__(self, section: KeepAudioSection, now: Callable[[], float] = time.time) -> None:
        self.folder = expand(section.dir)
        self._age = section.max_age * DAY
        self._bytes = section.max_size * MEGABYTE
        self._now = now

    def open(self) -> None:
        """Make the folder, and delete what is too old. Raises ConfigurationError."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._write(".writable", b"")
            (self.folder / ".writable").unlink()
        except OSError as error:
            raise ConfigurationError(
                f"keep_audio.dir: {self.folder} can't be written ({error.strerror}); "
                "choose another folder"
            ) from None
        self.sweep()

    def keep_sound(self, identity: str, pcm: bytes) -> None:
        """Keep an utterance (int16 samples at 16 kHz). Raises OSError."""
        file = io.BytesIO()
        soundfile.write(file, np.frombuffer(pcm, "<i2"), SAMPLE_RATE, format="FLAC")
        self._write(identity + SOUND, file.getvalue())
        self.sweep()

    def keep_event(self, identity: str, event: bytes) -> None:
        """Keep what was understood. Raises OSError."""
        self._write(identity + EVENT, event + b"\n")

    def sweep(self) -> None:
        """Delete what is too old, then the oldest until the rest is small enough."""
        kept = []
        for entry in os.scandir(self.folder):
            if entry.name.endswith((SOUND, EVENT)):
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue  # another transcriber was faster
                kept.append((status.st_mtime, entry.path, status.st_size))
        total = sum(size for _, _, size in kept)
        oldest = self._now() - self._age
        for modified, path, size in sorted(kept):
            if modified >= oldest and total <= self._bytes:
                return
            Path(path).unlink(missing_ok=True)
            total -= size

    def _write(self, name: str, content: bytes) -> None:
        """The file appears whole or not at all, and nobody else may read it."""
        making = self.folder / f".{name}.{os.getpid()}"
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        making.rename(self.folder / name)


class KeepingStage:
    """A stage whose utterances are kept; it answers first and writes then."""

    def __init__(self, inner: Stage, keeper: Keeper) -> None:
        self.inner = inner
        self.keeper = keeper

    def open(self) -> Iterable[StageMessage]:
        """Open the folder, then the stage."""
        self.keeper.open()
        return self.inner.open()

    def process(self, message: StageMessage) -> Iterator[StageMessage]:
        """What the stage makes of it, and a report where it couldn't be kept."""
        self.before(message)
        for made in self.inner.process(message):
            yield made
            if isinstance(made, Transcript):
                try:
                    self.keep(made)
                except OSError as error:
                    yield ErrorReport(
                        source=made.source,
                        stream=made.stream,
                        file=made.file,
                        code="audio-not-kept",
                        detail=f"{self.keeper.folder}: an utterance can't be kept "
                        f"({error.strerror}); make room, or leave keep_audio out",
                    )
        self.after(message)

    def forget(self, source: str) -> None:
        """The source sends it again; a sound begins with its first piece."""
        forget(self.inner, source)

    def describe(self) -> dict[str, str]:
        """The models of the stage."""
        return models_of(self.inner)

    def close(self) -> None:
        """Close the stage."""
        self.inner.close()

    def before(self, message: StageMessage) -> None:
        """Look at what comes in."""

    def keep(self, made: Transcript) -> None:
        """Keep something of an utterance."""

    def after(self, message: StageMessage) -> None:
        """Forget what is over."""


class SoundKeeping(KeepingStage):
    """Around the transcriber: keeps the sound of every utterance in which words were heard."""

    def __init__(self, inner: Stage, keeper: Keeper) -> None:
        super().__init__(inner, keeper)
        self._sounds: dict[str, bytearray] = {}

    def before(self, message: StageMessage) -> None:
        """Collect the sound of each stream's utterance."""
        if isinstance(message, SpeechChunk):
            if message.first:
                self._sounds.pop(message.stream, None)
            self._sounds.setdefault(message.stream, bytearray()).extend(message.pcm)

    def keep(self, made: Transcript) -> None:
        """Write it down."""
        sound = self._sounds.get(made.stream)
        if sound and not made.simulated:
            self.keeper.keep_sound(made.id, bytes(sound))

    def after(self, message: StageMessage) -> None:
        """Let go of it."""
        if isinstance(message, Endpoint | EndOfStream):
            self._sounds.pop(message.stream, None)


class EventKeeping(KeepingStage):
    """Around the last stage: keeps the event of every utterance; its number is the publisher's."""

    def __init__(self, inner: Stage, keeper: Keeper, *, understands: bool) -> None:
        super().__init__(inner, keeper)
        self._understands = understands

    def keep(self, made: Transcript) -> None:
        """Write it down."""
        if not made.simulated:
            events = EventMaker(understands=self._understands).events(made)
            heard = [event for event in events if isinstance(event, UtteranceEvent)]
            self.keeper.keep_event(made.id, to_json(heard[-1]))


def keeping(stage: Stage, spec: WorkerSpec, configuration: Configuration) -> Stage:
    """``stage``, with what it has to keep where the configuration says so."""
    if configuration.keep_audio is None:
        return stage
    if spec.kind == "transcriber":
        stage = SoundKeeping(stage, Keeper(configuration.keep_audio))
    if spec.outlets == ("publisher",) and spec.kind != "source":
        understands = bool(configuration.understanders)
        stage = EventKeeping(stage, Keeper(configuration.keep_audio), understands=understands)
    return stage
