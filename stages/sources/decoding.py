"""Recordings, decoded piece by piece into what the daemon works with."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from models.errors import SourceError
from stages.messages import SAMPLE_RATE
from stages.sources.base import BLOCK_BYTES
from stages.sources.conversion import Converter
from stages.sources.formats import flac, mp3, ogg, wav
from stages.sources.formats.error import CONVERT, COPY, FormatError
from stages.sources.paths import shown, unreadable

PIECES_A_SECOND = 10
"""Larger pieces save little time and hold more of a file with many channels in memory."""

RATES = range(1_000, 768_001)
"""Sample rates that real recordings have, in Hz. A broken header's 1 Hz would become hours."""

MP3_PADDING = 4 * 1152
"""Samples that an encoder may put around the audio and the decoder takes away again."""


UNKNOWN_FRAMES = 2**63 - 1
"""libsndfile's word for a FLAC that was written to a pipe and doesn't know its length."""


class _Recording(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning to its end."""

    def seekable(self) -> bool:
        # soundfile seeks after each read of a seekable file, to where it is anyhow. libsndfile's
        # MP3 decoder drops its bit reservoir at that: every piece would begin with a click.
        return False


def decode(path: str) -> Generator[bytes, None, None]:
    """int16 little-endian mono audio at 16 kHz in blocks of 100 ms; the last may be shorter.

    Raises SourceError before the first block if the file can be told to be bad, else after
    what could be read of it.
    """
    with _open(path) as recording:
        converter = Converter(recording.samplerate)
        pending = bytearray()
        position = 0
        fault: FormatError | None = None
        last = False
        while not last:
            try:
                frames = _read_piece(recording, position)
            except FormatError as error:
                fault, frames = error, np.zeros((0, 1), np.float32)
            last = len(frames) == 0
            position += len(frames)
            pending += converter.convert(frames, last=last)
            while len(pending) >= BLOCK_BYTES:
                yield bytes(pending[:BLOCK_BYTES])
                del pending[:BLOCK_BYTES]
        if pending:
            yield bytes(pending)
        if fault:
            raise _bad(path, fault)


def validate(path: str) -> None:
    """Look whether a recording is whole, without decoding it; raises SourceError if not."""
    _open(path).close()


def seconds(path: str) -> float:
    """How long a recording lasts, from its header where that tells; raises SourceError."""
    with _open(path) as recording:
        if recording.frames < UNKNOWN_FRAMES:
            return float(recording.frames / recording.samplerate)
    return sum(map(len, decode(path))) / 2 / SAMPLE_RATE


def _open(path: str) -> _Recording:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FormatError("is no file but a pipe or device", "pipe raw PCM into -")
            size = os.fstat(file.fileno()).st_size
            return _check_and_open(path, file, size)
    except FormatError as fault:
        raise _bad(path, fault) from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    except soundfile.LibsndfileError as error:
        what = error.error_string.strip().rstrip(".") or "unknown fault"
        raise _bad(path, FormatError(f"can't be decoded ({what})", CONVERT)) from None


def _open_at_once(path: str, flags: int) -> int:
    """Without O_NONBLOCK a named pipe with nobody at its other end would hold us for good."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_and_open(path: str, file: BinaryIO, size: int) -> _Recording:
    if size == 0:
        raise FormatError("is empty (0 bytes)", COPY)
    magic = file.read(12)
    source: str | wav.OpenEnded = path
    least = 0.0
    if magic.startswith(wav.MAGIC) and magic[8:] == b"WAVE":
        size_offset = wav.check(file, size)
        if size_offset is not None:
            source = wav.OpenEnded(path, size_offset)
    elif magic.startswith(flac.MAGIC):
        least = flac.check(file, size)
    elif magic.startswith(ogg.MAGIC):
        least = ogg.check(file, size)
    elif magic.startswith(mp3.MAGIC):
        least = mp3.check(file, size) - MP3_PADDING
    else:
        raise FormatError("is not a WAV, FLAC, OGG or MP3 recording", CONVERT)
    recording = _Recording(source)
    try:
        _check_header(recording, least)
    except (FormatError, soundfile.LibsndfileError):
        recording.close()
        raise
    return recording


def _check_header(recording: _Recording, least: float) -> None:
    if recording.samplerate not in RATES:
        raise FormatError(
            f"has a header with a sample rate of {recording.samplerate:,} Hz "
            f"(possible are {RATES[0]:,} to {RATES[-1]:,})",
            CONVERT,
        )
    if recording.subtype == "OPUS":
        least *= recording.samplerate / ogg.OPUS_RATE
    if recording.frames < int(least):
        raise FormatError(
            "is damaged or gives a wrong length: only a part of it can be decoded",
            "copy it again, or convert it with sox or ffmpeg",
        )
    if recording.frames == 0:
        raise FormatError("holds no audio (0 samples)", COPY)
    if recording.format == "FLAC" and recording.frames < UNKNOWN_FRAMES:
        # A cut FLAC fails only where it is cut; going there first tells it from the start.
        try:
            recording.seek(recording.frames - 1)
            recording.read(1)
            recording.seek(0)
        except soundfile.LibsndfileError:
            raise FormatError("is truncated or damaged: its end can't be decoded", COPY) from None


def _read_piece(recording: _Recording, position: int) -> npt.NDArray[np.float32]:
    """(n, channels) float32 frames, n = 0 behind the last; raises FormatError."""
    size = max(recording.samplerate // PIECES_A_SECOND, 1)
    try:
        frames: npt.NDArray[np.float32] = recording.read(size, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        raise FormatError(_damaged(recording, position), COPY) from None
    if len(frames) == 0 and position < recording.frames < UNKNOWN_FRAMES:
        raise FormatError(_damaged(recording, position), COPY)
    if not np.isfinite(frames).all():
        raise FormatError(f"{_damaged(recording, position)} (values that are not numbers)", CONVERT)
    return frames


def _damaged(recording: _Recording, position: int) -> str:
    seconds, whole = position / recording.samplerate, recording.frames / recording.samplerate
    of = f" of {whole:.1f}" if recording.frames < UNKNOWN_FRAMES else ""
    return f"is damaged: only {seconds:.1f}{of} s can be decoded"


def _bad(path: str, fault: FormatError) -> SourceError:
    return SourceError(f"{shown(path)}: {fault.what}; {fault.mend}", code="bad-recording")
