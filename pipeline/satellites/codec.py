"""Audio on its way from a satellite: Opus (about 3 kB a second) or plain PCM (32 kB).

Opus comes from PyAV, which brings its own libopus and is kept up with FFmpeg; it is an optional
extra, because it is large. libsndfile, which decodes our recordings, has Opus only inside files.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, Protocol

import numpy as np

from models.errors import ConfigurationError
from pipeline.satellites.frames import BLOCK_SAMPLES, Codec
from pipeline.wire import WireError
from stages.messages import SAMPLE_RATE

FRAME_SAMPLES: Final = SAMPLE_RATE // 50
"""An Opus packet holds 20 ms, what the codec is best at."""

BIT_RATE: Final = 24_000
"""Bits a second: wide-band speech that a recogniser can't tell from the original."""

OPUS_RATE: Final = 48_000
"""Opus always decodes at this rate."""


class Encoder(Protocol):
    """From int16 little-endian mono at 16 kHz to packets."""

    def encode(self, pcm: bytes) -> tuple[bytes, ...]:
        """Packets for at most 100 ms; a shorter piece is filled up with silence."""


class Decoder(Protocol):
    """From packets back to audio; what comes out may lag behind until ``flush``."""

    def decode(self, packets: Sequence[bytes], samples: int) -> bytes:
        """int16 audio of packets that stand for ``samples``. Raises WireError."""

    def flush(self) -> bytes:
        """What is still inside; the decoder begins anew then."""


def opus_is_there() -> bool:
    """True when the optional codec is installed."""
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True


def make_encoder(codec: Codec) -> Encoder:
    """Raises ConfigurationError where Opus isn't installed."""
    return _OpusEncoder() if codec == "opus" else _PcmEncoder()


def make_decoder(codec: Codec) -> Decoder:
    """Raises ConfigurationError where Opus isn't installed."""
    return _OpusDecoder() if codec == "opus" else _PcmDecoder()


class _PcmEncoder:
    def encode(self, pcm: bytes) -> tuple[bytes, ...]:
        return (pcm,)


class _PcmDecoder:
    def decode(self, packets: Sequence[bytes], samples: int) -> bytes:
        pcm = b"".join(packets)
        if len(pcm) != 2 * samples:
            raise WireError(f"{len(pcm)} bytes for {samples} samples")
        return pcm

    def flush(self) -> bytes:
        return b""


class _OpusEncoder:
    def __init__(self) -> None:
        av = _load()
        self._av = av
        self._context: Any = av.CodecContext.create("libopus", "w")
        self._context.sample_rate = SAMPLE_RATE
        self._context.layout = "mono"
        self._context.format = "s16"
        self._context.bit_rate = BIT_RATE
        self._context.time_base = Fraction(1, SAMPLE_RATE)
        self._context.options = {"application": "voip", "frame_duration": "20"}
        self._context.open()
        self._position = 0

    def encode(self, pcm: bytes) -> tuple[bytes, ...]:
        padded = pcm + bytes(-len(pcm) % (2 * FRAME_SAMPLES))
        samples = np.frombuffer(padded, "<i2").reshape(-1, 1, FRAME_SAMPLES)
        packets: list[bytes] = []
        for piece in samples:
            frame = self._av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = self._position
            self._position += FRAME_SAMPLES
            packets += [bytes(packet) for packet in self._context.encode(frame)]
        return tuple(packets)


class _OpusDecoder:
    def __init__(self) -> None:
        self._av = _load()
        self._begin()

    def _begin(self) -> None:
        import soxr

        self._context: Any = self._av.CodecContext.create("libopus", "r")
        self._context.sample_rate = OPUS_RATE
        self._context.layout = "mono"
        self._context.open()
        self._resampler = soxr.ResampleStream(OPUS_RATE, SAMPLE_RATE, 1, "int16")

    def decode(self, packets: Sequence[bytes], samples: int) -> bytes:
        del samples  # the packets are full; who knows the stream's length cuts its end off
        pieces = []
        for packet in packets:
            try:
                frames = self._context.decode(self._av.Packet(packet)) if packet else []
            except (self._av.FFmpegError, ValueError, EOFError) as error:
                raise WireError(f"not Opus: {type(error).__name__}") from error
            pieces += [frame.to_ndarray().reshape(-1) for frame in frames]
        heard = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
        if heard.dtype != np.int16 or len(heard) > 3 * (BLOCK_SAMPLES + FRAME_SAMPLES):
            raise WireError(f"{len(heard)} samples of {heard.dtype} in one piece of Opus")
        resampled: bytes = self._resampler.resample_chunk(heard).astype("<i2").tobytes()
        return resampled

    def flush(self) -> bytes:
        rest: bytes = self._resampler.resample_chunk(np.zeros(0, np.int16), last=True).tobytes()
        self._begin()
        return rest


def _load() -> Any:
    try:
        import av
    except ImportError:
        raise ConfigurationError(
            "Opus needs the package av; install intentd[opus], or send PCM: --codec pcm",
            code="no-opus",
        ) from None
    # FFmpeg would write what it thinks of bad packets to standard error.
    av.logging.set_level(av.logging.PANIC)
    return av
