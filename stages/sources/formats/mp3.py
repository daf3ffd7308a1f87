"""MPEG audio, layer III (ISO 11172-3, 13818-3 and the unofficial 2.5), between its tags."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from stages.sources.formats.error import CONVERT, COPY, FormatError

MAGIC = (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3", b"\xff\xe2")

_KILOBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_TRAILERS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")
_LONGEST_PADDING = 1_000_000
_INFO = (b"Xing", b"Info")
_INFO_SEARCH = 64
"""Bytes of the first frame in which its description may begin (36 at most, and a checksum)."""


class Frame(NamedTuple):
    """A frame: its length in bytes and its samples of a channel."""

    length: int
    samples: int


def check(file: BinaryIO, size: int) -> int:
    """Walk the frames of a file of ``size`` bytes and count the samples of a channel in them.

    The encoder's padding is counted too: the audio is a few thousand samples shorter. Raises
    FormatError if it is not MP3 at all, is cut, or is damaged on the way.
    """
    offset = _skip_tag(file, 0)
    announced = _announced_bytes(file, offset)
    if announced is not None and offset + announced > size:
        raise FormatError(
            f"is truncated: {announced:,} bytes of audio announced, {size - offset:,} there", COPY
        )
    count = samples = 0
    while offset < size:
        file.seek(offset)
        header = file.read(4)
        frame = _frame(header)
        if frame is None:
            if header[:3] == b"ID3":
                offset = _skip_tag(file, offset)
                continue
            if count >= 2 and _is_trailer(file, offset):
                break
            if count < 2:
                raise FormatError("is not a WAV, FLAC, OGG or MP3 recording", CONVERT)
            raise FormatError(f"is damaged at byte {offset:,}: no MP3 frame starts there", COPY)
        offset += frame.length
        if offset > size:
            raise FormatError("is truncated in its last frame", COPY)
        count, samples = count + 1, samples + frame.samples
    return samples


def _frame(header: bytes) -> Frame | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, rate_index, bitrate = header[1] >> 3 & 3, header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or rate_index == 3 or bitrate in (0, 15):
        return None
    rate = _RATES[version][rate_index]
    samples = 1152 if version == 3 else 576
    kilobits = _KILOBITS[1 if version == 3 else 2][bitrate]
    return Frame(samples // 8 * kilobits * 1000 // rate + (header[2] >> 1 & 1), samples)


def _skip_tag(file: BinaryIO, offset: int) -> int:
    file.seek(offset)
    tag = file.read(10)
    if tag[:3] != b"ID3":
        return offset
    if len(tag) < 10:
        raise FormatError("is truncated in a tag", COPY)
    length = 0
    for byte in tag[6:10]:
        length = length << 7 | byte & 0x7F
    return offset + 10 + length + (10 if tag[5] & 0x10 else 0)


def _announced_bytes(file: BinaryIO, offset: int) -> int | None:
    """How long the audio is by the description that most encoders put into the first frame."""
    file.seek(offset)
    start = file.read(_INFO_SEARCH)
    at = max(start.find(name) for name in _INFO)
    if at < 0:
        return None
    file.seek(offset + at + 4)
    fields = file.read(12)
    if len(fields) < 12 or not fields[3] & 2:
        return None
    return int.from_bytes(fields[8:12] if fields[3] & 1 else fields[4:8], "big")


def _is_trailer(file: BinaryIO, offset: int) -> bool:
    file.seek(offset)
    rest = file.read(_LONGEST_PADDING)
    return rest.startswith(_TRAILERS) or not rest.strip(b"\0")
