"""Recordings of every kind become the same 16 kHz mono blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from stages.messages import AudioBlock, EndOfStream
from stages.sources.decoding import decode
from stages.sources.recording import RecordingSource

LOSSLESS = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
]
LOSSY = [("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")]
KINDS = [
    (kind, subtype, channels)
    for kind, subtype in LOSSLESS + LOSSY
    for channels in (1, 2, 6)
    if channels <= 2 or kind != "MP3"
]
RATES = [8_000, 11_025, 16_000, 44_100, 48_000]


def likeness(heard: np.ndarray, expected: np.ndarray) -> float:
    return float(heard @ expected / np.sqrt((heard @ heard) * (expected @ expected)))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("kind", "subtype", "channels"), KINDS)
def test_given_any_format_the_same_audio_comes_out(
    kind: str, subtype: str, channels: int, rate: int, write_audio: Any, melody: Any, listen: Any
) -> None:
    samples = np.repeat(melody(rate)[:, None], channels, axis=1)
    path = write_audio("a.dat", samples, rate, format=kind, subtype=subtype)

    heard = listen(RecordingSource("desk", [str(path)]))

    assert len(heard.samples) == round(len(samples) * 16_000 / rate)
    least = 0.999 if (kind, subtype) in LOSSLESS else 0.98
    assert likeness(heard.samples, melody(16_000)) > least


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_given_ogg_opus_the_same_audio_comes_out(
    rate: int, write_audio: Any, melody: Any, listen: Any
) -> None:
    path = write_audio("a.opus", melody(rate), rate, format="OGG", subtype="OPUS")
    heard = listen(RecordingSource("desk", [str(path)]))
    assert len(heard.samples) == 20_000
    assert likeness(heard.samples, melody(16_000)) > 0.98


def test_given_16_bit_audio_at_16_khz_it_comes_out_bit_by_bit(write_audio: Any) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, 16_123).astype("<i2")
    assert b"".join(decode(str(write_audio("a.wav", samples)))) == samples.tobytes()


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_given_noise_the_pieces_are_what_the_whole_would_be(name: str, write_audio: Any) -> None:
    noise = np.random.default_rng(2).normal(scale=0.1, size=(70_001, 2)).astype(np.float32)
    path = write_audio(name, noise, 44_100)
    whole = soundfile.read(path, dtype="float32")[0].mean(axis=1)
    expected = np.rint(soxr.resample(whole, 44_100, 16_000) * 32768)

    pieces = np.frombuffer(b"".join(decode(str(path))), "<i2")

    assert len(pieces) == len(expected)
    assert np.abs(pieces - expected).max() <= 1


def test_given_several_channels_their_mean_is_heard(write_audio: Any, listen: Any) -> None:
    left, right = np.full(1_600, 0.5), np.full(1_600, -0.25)
    path = write_audio("a.wav", np.stack([left, right], axis=1))
    assert np.allclose(listen(RecordingSource("desk", [str(path)])).samples, 0.125)


def test_given_samples_beyond_full_scale_they_are_clipped(write_audio: Any, listen: Any) -> None:
    path = write_audio("a.wav", np.array([1.5, -1.5] * 800, np.float32), subtype="FLOAT")
    samples = listen(RecordingSource("desk", [str(path)])).samples
    assert samples[0] == pytest.approx(1, abs=1e-4)
    assert samples[1] == -1


def test_given_files_each_is_a_stream_of_contiguous_blocks(
    write_audio: Any, melody: Any, listen: Any
) -> None:
    paths = [str(write_audio(name, melody(16_000))) for name in ("a.wav", "b.flac")]

    heard = listen(RecordingSource("desk", paths))

    for index, path in enumerate(paths):
        stream = f"desk-{index:05d}"
        blocks = [block for block in heard.blocks if block.stream == stream]
        assert [len(block.pcm) for block in blocks] == [3_200] * 12 + [1_600]
        assert [block.position for block in blocks] == list(range(0, 20_000, 1_600))
        assert {(block.source, block.file, block.lost) for block in blocks} == {("desk", path, 0)}
    assert heard.others == [
        EndOfStream(source="desk", stream="desk-00000", file=paths[0], position=20_000),
        EndOfStream(source="desk", stream="desk-00001", file=paths[1], position=20_000),
    ]


def test_given_a_size_of_zero_from_a_pipe_a_wav_is_read_to_its_end(
    write_audio: Any, melody: Any, listen: Any
) -> None:
    path: Path = write_audio("a.wav", melody(16_000))
    data = path.read_bytes()
    for riff, size in [(b"\0" * 4, b"\0" * 4), (b"\xff" * 4, b"\xff" * 4)]:
        path.write_bytes(data[:4] + riff + data[8:40] + size + data[44:])
        heard = listen(RecordingSource("desk", [str(path)]))
        assert len(heard.samples) == 20_000, size


def test_given_a_flac_from_a_pipe_it_is_read_to_its_end(
    write_audio: Any, melody: Any, listen: Any
) -> None:
    path: Path = write_audio("a.flac", melody(16_000))
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # the number of samples in STREAMINFO
    path.write_bytes(data)
    assert len(listen(RecordingSource("desk", [str(path)])).samples) == 20_000


def test_given_an_mp3_with_tags_it_is_read(write_audio: Any, melody: Any, listen: Any) -> None:
    path: Path = write_audio("a.mp3", melody(44_100), 44_100)
    cover = b"\xff\xfb" * 5_000  # looks like frames but isn't
    size = bytes(len(cover) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x04\0\0" + size + cover + path.read_bytes() + b"TAG" + bytes(125))
    heard = listen(RecordingSource("desk", [str(path)]))
    assert len(heard.samples) == 20_000


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def test_given_real_pace_a_block_comes_when_it_has_been_heard(
    write_audio: Any, melody: Any
) -> None:
    clock = Clock()
    source = RecordingSource(
        "desk",
        [str(write_audio("a.wav", melody(16_000)))],
        pace="real",
        now=lambda: 1e9 + clock.time,
        monotonic=clock,
        sleep=clock.sleep,
    )
    source.open()
    arrivals = []
    while (messages := source.read(0.03)) is not None:
        arrivals += [(clock.time - 100, m.captured) for m in messages if isinstance(m, AudioBlock)]

    heard_at = [*np.arange(1, 13) / 10, 1.25]
    assert [arrival for arrival, _ in arrivals] == pytest.approx(heard_at)
    assert [captured - 1e9 - 100 for _, captured in arrivals] == pytest.approx(heard_at)
    assert max(clock.slept) <= 0.03


def test_given_a_close_in_the_middle_the_stream_ends_there(write_audio: Any, melody: Any) -> None:
    path = str(write_audio("a.wav", melody(16_000)))
    source = RecordingSource("desk", [path, path])
    source.open()
    source.read(0.1)
    end = EndOfStream(source="desk", stream="desk-00000", file=path, position=1_600)
    assert source.close() == [end]
    assert source.close() == []
    assert source.read(0.1) is None


def test_given_the_shipped_recordings_all_are_whole(
    listen: Callable[..., Any], pytestconfig: pytest.Config
) -> None:
    folder = pytestconfig.rootpath / "tests" / "replays"
    heard = listen(RecordingSource("desk", [str(folder)]))
    assert len(heard.others) >= 30
    assert all(isinstance(message, EndOfStream) for message in heard.others)
