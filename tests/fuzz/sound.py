"""Decoders of sound under the fuzzer: recordings, and the packets of satellites."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from fuzz.files import written
from pipeline import wire
from pipeline.satellites.codec import make_decoder, make_encoder
from stages.sources.decoding import decode as decode_recording

MOST_BLOCKS = 5
"""A damaged header may promise hours of audio: half a second of it is enough."""

SEED_FORMATS = [
    ("WAV", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


def opus(data: bytes) -> None:
    """Packets one after the other, each behind its length."""
    decoder = make_decoder("opus")
    while data:
        size, data = data[0], data[1:]
        piece, data = data[:size], data[size:]
        try:
            pcm = decoder.decode((piece,), 320)
        except wire.WireError:
            continue
        assert len(pcm) % 2 == 0
    decoder.flush()


def opus_seeds() -> list[bytes]:
    """A fifth of a second."""
    packets = make_encoder("opus").encode(bytes(range(256)) * 12 + bytes(128))
    return [b"".join(bytes([len(packet)]) + packet for packet in packets)]


def recording(data: bytes) -> None:
    """A file of any format."""
    blocks = decode_recording(str(written(data, "recording")))
    for _, block in zip(range(MOST_BLOCKS), blocks, strict=False):
        assert len(block) % 2 == 0
    blocks.close()


def recording_seeds() -> list[bytes]:
    """Short ones of each format: whole files, because some decoders give up a cut one at once."""
    tone = np.sin(2 * np.pi * 440 * np.arange(1600) / 16_000).astype(np.float32) / 4
    found = []
    for kind, subtype in SEED_FORMATS:
        file = io.BytesIO()
        soundfile.write(file, tone, 16_000, format=kind, subtype=subtype)
        found.append(file.getvalue())
    return found
