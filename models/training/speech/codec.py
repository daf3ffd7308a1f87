"""Speech packed and unpacked by a lossy codec, as telephones, radios and recorders do."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr

from models.training.speech.audio import RATE, Samples


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec of libsndfile."""

    container: str
    encoding: str
    rate: int = RATE
    level: tuple[float, float] | None = None
    """Least and greatest compression level that is drawn, 0 to 1, where there is one."""


CODECS = (
    Codec("OGG", "OPUS", level=(0.6, 1.0)),
    Codec("OGG", "VORBIS", level=(0.6, 1.0)),
    Codec("MP3", "MPEG_LAYER_III", level=(0.6, 0.99)),
    Codec("WAV", "ULAW", rate=8_000),
    Codec("WAV", "ALAW", rate=8_000),
    Codec("WAV", "GSM610", rate=8_000),
    Codec("WAV", "IMA_ADPCM"),
)
"""Opus, Vorbis and MP3 at low rates, the codecs of telephones, and 4-bit ADPCM."""


def pass_codec(samples: Samples, rng: np.random.Generator) -> Samples:
    """Samples through a random codec, as many as before; unchanged if libsndfile lacks it."""
    codec = CODECS[int(rng.integers(len(CODECS)))]
    level = None if codec.level is None else float(rng.uniform(*codec.level))
    if not soundfile.check_format(codec.container, codec.encoding):
        return samples
    sent = samples if codec.rate == RATE else soxr.resample(samples, RATE, codec.rate)
    packed = io.BytesIO()
    soundfile.write(
        packed,
        np.clip(sent, -1.0, 1.0),
        codec.rate,
        format=codec.container,
        subtype=codec.encoding,
        compression_level=level,
    )
    packed.seek(0)
    heard, rate = soundfile.read(packed, dtype="float32")
    if rate != RATE:
        heard = soxr.resample(heard, rate, RATE)
    # A codec may add samples to its last frame.
    return np.asarray(np.resize(heard[: len(samples)], len(samples)), np.float32)
