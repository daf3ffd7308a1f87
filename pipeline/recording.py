"""Labelled recordings of a domain's sentences, as ``intentd evaluate`` reads them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile

from models.domain import Domain, Example
from models.errors import ConfigurationError, SourceError
from pipeline.evaluation.labels import Label, example_slots
from stages.messages import SAMPLE_RATE, AudioBlock, Endpoint, ErrorReport, SpeechChunk, StateReport
from stages.segmenter import Segmenter
from stages.sources.base import Source

MARGIN: Final = 0.5
"""Seconds kept before the speech and, of its silence, behind it."""

PATIENCE: Final = 10.0
"""Seconds to wait for somebody to begin."""

LONGEST_NAME: Final = 60
CLIPPED: Final = 32_700
QUIET_DBFS: Final = -45.0


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded utterance."""

    pcm: bytes
    """int16 samples at 16 kHz."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / 2 / SAMPLE_RATE

    @property
    def fault(self) -> str | None:
        """What is wrong with its level, if anything."""
        samples = np.abs(np.frombuffer(self.pcm, "<i2").astype(np.int32))
        if int((samples >= CLIPPED).sum()) > 10:
            return "too loud: it is clipped; go back a little, or turn the microphone down"
        if 20 * math.log10(max(int(samples.max(initial=1)), 1) / 32_768) < QUIET_DBFS:
            return "very quiet; come nearer, or turn the microphone up"
        return None


class Recorder:
    """Records one utterance after the other from a source, ended by the daemon's own segmenter."""

    def __init__(
        self,
        source: Source,
        *,
        endpoint_silence: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._silence = endpoint_silence
        self._monotonic = monotonic
        self._count = 0

    def record(self, on_level: Callable[[float], None], patience: float = PATIENCE) -> Take | None:
        """The next utterance, or None when nobody speaks for ``patience`` seconds.

        ``on_level`` gets the level of each block in dB of full scale. Raises SourceError when the
        microphone is gone.
        """
        self._discard()
        self._count += 1
        segmenter = Segmenter(endpoint_silence=self._silence)
        heard: list[bytes] = []
        position = 0
        speaking = False
        begun = self._monotonic()
        while speaking or self._monotonic() - begun < patience:
            for block in self._blocks(0.2):
                on_level(level(block.pcm))
                heard.append(block.pcm)
                own = msgspec.structs.replace(
                    block, stream=f"take-{self._count}", position=position, lost=0
                )
                position += len(block.pcm) // 2
                for message in segmenter.process(own):
                    speaking |= isinstance(message, SpeechChunk)
                    if isinstance(message, Endpoint):
                        return _cut(b"".join(heard), message)
        return None

    def _discard(self) -> None:
        """What was heard while nobody was asked."""
        while self._source.read(0):
            pass

    def _blocks(self, timeout: float) -> Iterator[AudioBlock]:
        messages = self._source.read(timeout)
        for message in messages or ():
            if isinstance(message, AudioBlock):
                yield message
            elif isinstance(message, StateReport) and message.state == "device-lost":
                raise SourceError(f"{message.detail}; plug it in and start again")
            elif isinstance(message, ErrorReport) and message.code == "bad-source":
                raise SourceError(message.detail)


def level(pcm: bytes) -> float:
    """Mean level of int16 samples in dB of full scale; -100 for digital silence."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    return max(-100.0, 10 * math.log10(power / 32_768**2)) if power else -100.0


def _cut(pcm: bytes, endpoint: Endpoint) -> Take:
    margin = round(MARGIN * SAMPLE_RATE)
    first = max(0, endpoint.start - margin)
    last = min(endpoint.position, endpoint.end + margin)
    return Take(pcm=pcm[2 * first : 2 * last])


class Collection:
    """A folder of labelled recordings; what is in it isn't asked for again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"{folder}: recordings can't be written there ({error.strerror}); "
                "choose another folder with --into"
            ) from None

    def texts(self) -> set[str]:
        """Texts that are recorded already."""
        found = set()
        for path in self.folder.glob("*.json"):
            try:
                text = msgspec.json.decode(path.read_bytes(), type=Label).text
            except msgspec.DecodeError as error:
                raise ConfigurationError(f"{path}: {error}; mend or delete it") from error
            if isinstance(text, str):
                found.add(text)
        return found

    def missing(self, domain: Domain, count: int, seed: int) -> list[Example]:
        """So many sentences of the domain that are not recorded yet, balanced over intents."""
        known = self.texts()
        sampled = domain.sample(20 * count + 20 * len(known), seed)
        fresh = {e.text: e for e in sampled if e.text not in known}
        return list(fresh.values())[:count]

    def save(self, example: Example, take: Take) -> Path:
        """Write sound and label. The label comes last, so that an interruption leaves none."""
        slug = re.sub(r"[^a-z0-9]+", "-", example.text.lower()).strip("-")[:LONGEST_NAME]
        path = self.folder / f"{slug}.flac"
        number = 2
        while path.exists():
            path = self.folder / f"{slug}-{number}.flac"
            number += 1
        soundfile.write(path, np.frombuffer(take.pcm, "<i2"), SAMPLE_RATE)
        label = Label(
            text=example.text,
            intent=example.intent,
            slots={name: _plain_value(v) for name, v in example_slots(example).items()},
        )
        encoded = msgspec.json.format(msgspec.json.encode(label), indent=2)
        path.with_suffix(".json").write_bytes(encoded + b"\n")
        return path


def _plain_value(value: object) -> str | int | float:
    """Labels hold no objects: the words of such a value say enough."""
    return value if isinstance(value, str | int | float) else str(value)
