"""Raw PCM on standard input."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pytest

from stages.messages import AudioBlock, EndOfStream, ErrorReport
from stages.sources.recording import RecordingSource


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with open(reading, "rb") as reader, open(writing, "wb", buffering=0) as writer:
        yield reader, writer


def test_given_raw_pcm_it_becomes_one_stream(listen: Callable[..., Any]) -> None:
    pcm = bytes(range(256)) * 30
    heard = listen(RecordingSource("desk", ["-"], standard_input=io.BytesIO(pcm)))
    assert b"".join(block.pcm for block in heard.blocks) == pcm
    assert [block.position for block in heard.blocks] == [0, 1_600, 3_200]
    assert heard.others == [
        EndOfStream(source="desk", stream="desk-00000", file="-", position=3_840)
    ]


def test_given_half_a_sample_at_the_end_the_whole_ones_are_heard(listen: Any) -> None:
    heard = listen(RecordingSource("desk", ["-"], standard_input=io.BytesIO(bytes(4_001))))
    assert sum(len(block.pcm) for block in heard.blocks) == 4_000
    report, end = heard.others
    assert end.position == 2_000
    assert "ended in the middle of a sample" in report.detail


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "holds no audio"),
        (b"\0", "middle of a sample"),
        (b"RIFF" + bytes(9_000), "holds WAV"),
        (b"fLaC" + bytes(9_000), "holds FLAC"),
    ],
)
def test_given_what_is_no_raw_pcm_it_is_told(content: bytes, fault: str, listen: Any) -> None:
    heard = listen(RecordingSource("desk", ["-"], standard_input=io.BytesIO(content)))
    assert heard.blocks == []
    report, _end = heard.others
    assert isinstance(report, ErrorReport)
    assert report.detail.startswith("standard input: ")
    assert fault in report.detail


def test_given_a_terminal_it_is_told(listen: Any) -> None:
    controller, terminal = os.openpty()
    with open(terminal, "rb", buffering=0) as stream, open(controller, "rb", buffering=0):
        report, _end = listen(RecordingSource("desk", ["-"], standard_input=stream)).others
    assert "is a terminal" in report.detail


def test_given_a_slow_pipe_reading_never_waits_longer_than_asked(
    pipe: tuple[BinaryIO, BinaryIO],
) -> None:
    reader, writer = pipe
    source = RecordingSource("desk", ["-"], standard_input=reader)
    source.open()
    began = time.monotonic()
    assert source.read(0.05) == []
    writer.write(bytes(3_000))
    assert source.read(0.05) == []
    assert time.monotonic() - began < 1
    writer.write(bytes(1_000))
    (block,) = source.read(5) or []
    assert isinstance(block, AudioBlock)
    assert len(block.pcm) == 3_200
    writer.close()
    (block,) = source.read(5) or []
    assert isinstance(block, AudioBlock)
    assert len(block.pcm) == 800
    assert source.read(5) == [
        EndOfStream(source="desk", stream="desk-00000", file="-", position=2_000)
    ]
    assert source.read(5) is None


def test_given_a_writer_that_goes_on_its_blocks_come_as_they_are_full(
    pipe: tuple[BinaryIO, BinaryIO], listen: Any
) -> None:
    reader, writer = pipe

    def write() -> None:
        for _ in range(100):
            writer.write(bytes(333))
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    heard = listen(RecordingSource("desk", ["-"], standard_input=reader))
    thread.join()
    assert [len(block.pcm) for block in heard.blocks] == [3_200] * 10 + [1_300]
