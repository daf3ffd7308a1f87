"""Whatever is wrong with a recording: one line says so, and the next one is read."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import SourceError
from stages.messages import AudioBlock, EndOfStream, ErrorReport
from stages.sources.decoding import validate
from stages.sources.recording import RecordingSource


def wav(
    *,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    code: int = 1,
    data: bytes = bytes(3_200),
    size: int | None = None,
) -> bytes:
    size = len(data) if size is None else size
    frame = channels * bits // 8
    head = struct.pack("<HHIIHH", code, channels, rate, rate * frame % 2**32, frame, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


BAD = {
    "nothing": (b"", "is empty"),
    "text": (b"Dear Sir,\n" * 100, "is not a WAV, FLAC, OGG or MP3"),
    "header only": (wav()[:30], "is truncated"),
    "header without data": (wav()[:36], "is truncated"),
    "truncated": (wav(size=32_000), "is truncated: 32,000 bytes of audio announced, 3,200 there"),
    "no samples": (wav(data=b""), "holds no audio"),
    "0 channels": (wav(channels=0), "0 channels"),
    "2000 channels": (wav(channels=2000), "can't be decoded"),
    "rate 0": (wav(rate=0), "sample rate of 0"),
    "rate 1": (wav(rate=1), "sample rate of 1 Hz"),
    "0 bits": (wav(bits=0), "can't be decoded"),
    "unknown codec": (wav(code=0x1234), "can't be decoded"),
    "float not a number": (
        wav(code=3, bits=32, data=struct.pack("<f", float("nan")) * 800),
        "values that are not numbers",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_given_a_bad_wav_one_line_names_file_and_fault_and_the_rest_is_read(
    what: str, tmp_path: Path, listen: Callable[..., Any]
) -> None:
    content, fault = BAD[what]
    bad, good = tmp_path / "bad.wav", tmp_path / "good.wav"
    bad.write_bytes(content)
    good.write_bytes(wav())

    heard = listen(RecordingSource("desk", [str(bad), str(good)]))

    report, bad_end, end = heard.others
    assert isinstance(report, ErrorReport)
    assert (bad_end.file, bad_end.stream, bad_end.position) == (str(bad), "desk-00000", 0)
    assert (report.code, report.file, report.stream) == ("bad-recording", str(bad), "desk-00000")
    assert report.detail.startswith(f"{bad}: ")
    assert fault in report.detail
    assert "; " in report.detail, "the mend"
    assert "\n" not in report.detail
    assert (end.file, end.stream, end.position) == (str(good), "desk-00001", 1_600)
    assert {block.file for block in heard.blocks} == {str(good)}


@pytest.mark.parametrize("kind", ["flac", "ogg", "opus", "mp3"])
@pytest.mark.parametrize("part", [0.002, 0.1, 0.5, 0.9, 0.99])
def test_given_a_file_that_is_cut_off_nothing_of_it_is_heard(
    kind: str, part: float, write_audio: Any, melody: Any, listen: Any
) -> None:
    options = {"format": "OGG", "subtype": "OPUS"} if kind == "opus" else {}
    path: Path = write_audio(f"a.{kind}", melody(16_000), **options)
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * part)])

    heard = listen(RecordingSource("desk", [str(path)]))

    assert heard.blocks == []
    report, end = heard.others
    assert report.code == "bad-recording"
    assert end.position == 0
    with pytest.raises(SourceError, match=str(path)):
        validate(str(path))


@pytest.mark.parametrize("kind", ["flac", "ogg", "opus"])
def test_given_damage_in_the_middle_the_stream_ends_with_a_report(
    kind: str, write_audio: Any, listen: Any
) -> None:
    noise = np.random.default_rng(3).normal(scale=0.1, size=160_000)
    options = {"format": "OGG", "subtype": "OPUS"} if kind == "opus" else {}
    path: Path = write_audio(f"a.{kind}", noise, **options)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = np.random.default_rng(4).bytes(400)
    path.write_bytes(data)

    heard = listen(RecordingSource("desk", [str(path)]))

    report, *ends = heard.others
    assert report.code == "bad-recording"
    assert "is damaged" in report.detail
    length = len(heard.samples)
    assert length < 160_000
    assert [end.position for end in ends] == [length]


def test_given_junk_among_mp3_frames_it_is_told(write_audio: Any, melody: Any, listen: Any) -> None:
    path: Path = write_audio("a.mp3", melody(16_000))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    path.write_bytes(data)
    report, _end = listen(RecordingSource("desk", [str(path)])).others
    assert "is damaged at byte" in report.detail


def test_given_a_variable_rate_mp3_without_its_header_it_is_told(
    write_audio: Any, listen: Any
) -> None:
    # libsndfile guesses the length of such a file by its first frame and stops there.
    silence = np.zeros(44_100, np.float32)
    audio = np.concatenate([np.random.default_rng(5).normal(scale=0.3, size=44_100), silence])
    path: Path = write_audio("a.mp3", audio, 44_100, bitrate_mode="VARIABLE")
    data = path.read_bytes()
    begin = data.index(b"\xff\xfb", 4)
    path.write_bytes(data[begin:])
    report, _end = listen(RecordingSource("desk", [str(path)])).others
    assert "wrong length" in report.detail


@pytest.fixture
def outsider() -> Iterator[Path]:
    """A folder that everybody may enter, and a user who may not read everything."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65_534)
        try:
            yield Path(name)
        finally:
            if root:
                os.seteuid(0)


def test_given_a_file_that_may_not_be_read_it_is_told(outsider: Path, listen: Any) -> None:
    user = os.geteuid()
    os.seteuid(os.getuid())
    path = outsider / "secret.wav"
    path.write_bytes(wav())
    path.chmod(0)
    os.seteuid(user)
    report, _end = listen(RecordingSource("desk", [str(path)])).others
    assert report.detail == (f"{path}: permission denied; make it readable, e.g. with chmod +r")


def test_given_a_pipe_or_device_it_is_told_at_once(tmp_path: Path, listen: Any) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    heard = listen(RecordingSource("desk", [str(pipe), "/dev/zero"]))
    reports = [message for message in heard.others if isinstance(message, ErrorReport)]
    assert ["no file but a pipe or device" in report.detail for report in reports] == [True] * 2


def test_given_paths_that_give_nothing_the_others_are_read(
    tmp_path: Path, write_audio: Any, melody: Any, listen: Any
) -> None:
    (tmp_path / "empty").mkdir()
    good = write_audio("good.wav", melody(16_000))
    paths = [str(tmp_path / name) for name in ("gone.wav", "empty", "*.flac", "good.wav", "\0")]

    heard = listen(RecordingSource("desk", paths))

    assert [type(message) for message in heard.others] == [
        *([ErrorReport, EndOfStream] * 3),
        EndOfStream,
        *[ErrorReport, EndOfStream],
    ]
    assert {block.file for block in heard.blocks} == {str(good)}
    details = [message.detail for message in heard.others if isinstance(message, ErrorReport)]
    for detail, fault in zip(
        details, ["no such file", "no recordings in", "no file matches", "path"], strict=True
    ):
        assert fault in detail


HEADS = st.sampled_from(
    [
        b"",
        wav()[:44],
        wav()[:20],
        b"fLaC\0\0\0\x22",
        b"OggS\0\x02",
        b"\xff\xfb\x90\xc4",
        b"ID3\x04\0\0",
    ]
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(head=HEADS, rest=st.binary(max_size=600))
def test_given_any_bytes_in_a_file_nothing_is_raised(
    head: bytes, rest: bytes, tmp_path: Path, listen: Any
) -> None:
    path = tmp_path / "any.wav"
    path.write_bytes(head + rest)
    heard = listen(RecordingSource("desk", [str(path)]))
    kinds = {type(message) for message in heard.messages}
    assert kinds <= {AudioBlock, EndOfStream, ErrorReport}
    assert bool(heard.blocks) or kinds == {ErrorReport, EndOfStream}
    assert len(heard.others) in (1, 2)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), kind=st.sampled_from(["wav", "flac", "ogg", "mp3"]))
def test_given_bytes_that_flipped_in_a_recording_nothing_is_raised(
    data: st.DataObject, kind: str, write_audio: Any, melody: Any, listen: Any
) -> None:
    path: Path = write_audio(f"a.{kind}", melody(16_000)[:4_000])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    heard = listen(RecordingSource("desk", [str(path)]))
    assert heard.others, "an end or a report"
