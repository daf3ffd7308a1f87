"""A microphone's stream, with a capture and a clock that the test holds in its hands."""

from __future__ import annotations

import queue
import threading
from typing import Any

import numpy as np
import pytest

from models.errors import SourceError
from stages.messages import AudioBlock, EndOfStream, ErrorReport, StateReport
from stages.sources.microphone import LONGEST_RETRY, START_SECONDS, MicrophoneSource
from stages.sources.portaudio import CapturedBlock


class FakeCapture:
    """A device whose blocks of 100 ms come from the test."""

    def __init__(self, rate: int = 16_000, channels: int = 1) -> None:
        self.rate, self.channels = rate, channels
        self.blocks: queue.Queue[CapturedBlock | None] = queue.Queue()
        self.ended = threading.Event()
        self.closed = False
        self.time = 5_000.0

    def hear(self, value: int = 7, *, dropped: int = 0, overflow: bool = False) -> None:
        """100 ms of a constant sample, after a pause of as much as was dropped."""
        self.time += dropped / self.rate
        frames = self.rate // 10
        pcm = np.full(frames * self.channels, value, "<i2").tobytes()
        self.blocks.put(
            CapturedBlock(pcm=pcm, captured=self.time, dropped=dropped, overflow=overflow)
        )
        self.time += 0.1

    def vanish(self) -> None:
        self.ended.set()
        self.blocks.put(None)

    def close(self) -> None:
        self.closed = True


class Room:
    """A place with devices to plug in, and a clock that sleeping moves."""

    def __init__(self, *captures: FakeCapture) -> None:
        self.captures = list(captures)
        self.attempts: list[float] = []
        self.time = 0.0

    def source(self, **options: Any) -> MicrophoneSource:
        return MicrophoneSource(
            "kitchen",
            "jabra",
            open_capture=self._open,
            monotonic=lambda: self.time,
            sleep=self._sleep,
            **options,
        )

    def _open(self, name: str | None, **_: Any) -> FakeCapture:
        assert name == "jabra"
        self.attempts.append(self.time)
        if not self.captures:
            raise SourceError("no microphone is called 'jabra'", code="no-microphone")
        return self.captures.pop(0)

    def _sleep(self, seconds: float) -> None:
        self.time += seconds


def test_given_blocks_they_are_contiguous_and_know_when_they_were_heard() -> None:
    capture = FakeCapture()
    source = Room(capture).source()
    source.open()
    for value in range(3):
        capture.hear(value)

    blocks = source.read(0)

    assert blocks is not None
    assert all(isinstance(block, AudioBlock) for block in blocks)
    assert [block.position for block in blocks] == [0, 1_600, 3_200]
    assert [block.captured for block in blocks] == pytest.approx([5_000, 5_000.1, 5_000.2])
    assert [block.pcm for block in blocks] == [np.full(1_600, v, "<i2").tobytes() for v in range(3)]
    assert blocks[0].stream.startswith("kitchen-")
    assert source.read(0) == []


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2), (16_000, 4)])
def test_given_another_rate_the_audio_is_as_long_and_as_old_as_it_was(
    rate: int, channels: int
) -> None:
    capture = FakeCapture(rate, channels)
    source = Room(capture).source()
    source.open()
    for _ in range(20):
        capture.hear(8_000)

    blocks = [*(source.read(0) or []), *source.close()]

    end = blocks.pop()
    assert end.position == 32_000
    for block in blocks:
        assert block.captured == pytest.approx(5_000 + block.position / 16_000, abs=0.002)
    samples = np.frombuffer(b"".join(block.pcm for block in blocks), "<i2")
    assert np.abs(samples[1_000:-1_000] - 8_000.0).max() <= 2
    assert capture.closed


def test_given_dropped_blocks_the_position_goes_on_and_the_next_block_tells() -> None:
    capture = FakeCapture(48_000)
    source = Room(capture).source()
    source.open()
    capture.hear()
    capture.hear(dropped=9_600)
    capture.hear()

    messages = source.read(0) or []

    blocks = [message for message in messages if isinstance(message, AudioBlock)]
    lost = [block for block in blocks if block.lost]
    assert [block.lost for block in lost] == [3_200]
    before = blocks[: blocks.index(lost[0])]
    assert lost[0].position == sum(len(block.pcm) // 2 for block in before) + 3_200
    (report,) = [message for message in messages if isinstance(message, ErrorReport)]
    assert (report.code, report.count) == ("audio-lost", 3_200)


def test_given_an_overflow_the_clock_tells_how_much_is_lost() -> None:
    capture = FakeCapture()
    source = Room(capture).source()
    source.open()
    capture.hear(overflow=True)  # before the first block there is nothing to miss
    capture.hear()
    capture.time += 0.25
    capture.hear(overflow=True)
    capture.hear(overflow=True)

    messages = source.read(0) or []

    lost = [message.lost for message in messages if isinstance(message, AudioBlock)]
    assert lost == [0, 0, pytest.approx(4_000, abs=1), 1]


def test_given_steady_losses_there_is_one_report_a_second_and_none_is_forgotten() -> None:
    capture = FakeCapture()
    room = Room(capture)
    source = room.source()
    source.open()
    reports = []
    for _ in range(35):
        capture.hear(dropped=100)
        reports += [m for m in source.read(0) or [] if isinstance(m, ErrorReport)]
        room.time += 0.1
    assert len(reports) == 4
    reports += [m for m in source.close() if isinstance(m, ErrorReport)]
    assert sum(report.count for report in reports) == 3_500


def test_given_a_device_that_goes_and_comes_the_source_goes_on_with_a_new_stream() -> None:
    first, second = FakeCapture(), FakeCapture()
    room = Room(first)
    source = room.source()
    source.open()
    first.hear()
    first.vanish()

    block, end, state = source.read(0) or []

    assert isinstance(block, AudioBlock)
    assert end == EndOfStream(source="kitchen", stream=block.stream, position=1_600)
    assert isinstance(state, StateReport)
    assert (state.state, state.stream) == ("device-lost", block.stream)
    assert "'jabra'" in state.detail
    assert first.closed

    told = [message for _ in range(400) for message in source.read(0.25) or []]
    assert [message.state for message in told] == ["device-waiting"]
    assert "no microphone is called 'jabra'" in told[0].detail
    assert set(np.diff(room.attempts[2:])) == {LONGEST_RETRY}
    assert LONGEST_RETRY <= 1, "a device is to be heard within two seconds"

    room.captures.append(second)
    found: list[Any] = []
    while not found:
        found += source.read(0.25) or []
    assert [state.state for state in found] == ["device-found"]
    second.hear()
    (again,) = source.read(0) or []
    assert (again.position, again.stream) == (0, found[0].stream)
    assert again.stream != block.stream


def test_given_a_device_that_falls_silent_the_watchdog_takes_it_for_gone() -> None:
    capture = FakeCapture()
    room = Room(capture)
    source = room.source(watchdog=3.0)
    source.open()
    room.time = START_SECONDS - 0.1
    assert source.read(0) == [], "the first block may take its time"
    capture.hear()
    assert len(source.read(0) or []) == 1
    room.time += 2.9
    assert source.read(0) == []
    room.time += 0.2
    end, state = source.read(0) or []
    assert end.position == 1_600
    assert state.state == "device-lost"
    assert "no audio came for 3 s" in state.detail


def test_given_another_reason_why_it_is_away_that_is_told() -> None:
    reasons = ["no microphone is called 'jabra'"] * 3 + ["'jabra' can't be opened (busy)"] * 3
    told = []

    def open_capture(*_: Any, **__: Any) -> Any:
        raise SourceError(reasons.pop(0), code="no-microphone")

    room = Room()
    source = MicrophoneSource(
        "kitchen",
        "jabra",
        wait_for_device=True,
        open_capture=open_capture,
        monotonic=lambda: room.time,
        sleep=room._sleep,
    )
    source.open()
    while reasons:
        told += source.read(1.0) or []
    assert [message.state for message in told] == ["device-lost", "device-waiting"]
    assert "busy" in told[1].detail


def test_given_no_device_at_the_start_it_is_an_error() -> None:
    with pytest.raises(SourceError, match="jabra"):
        Room().source().open()


def test_given_the_will_to_wait_a_start_without_device_is_a_loss_of_it() -> None:
    room = Room()
    source = room.source(wait_for_device=True)
    source.open()
    (lost,) = source.read(0) or []
    assert lost.state == "device-lost"
    assert "jabra" in lost.detail
    room.captures.append(FakeCapture())
    assert source.read(0.3) == []
    assert source.read(0.3) == []
    (found,) = source.read(0.3) or []
    assert (found.state, found.stream) == ("device-found", lost.stream)
    assert source.close() == [EndOfStream(source="kitchen", stream=found.stream, position=0)]
    assert source.close() == []


def test_given_a_fault_that_waiting_cannot_mend_the_start_fails_all_the_same() -> None:
    def open_capture(*_: Any, **__: Any) -> Any:
        raise SourceError("PortAudio is missing", code="no-portaudio")

    source = MicrophoneSource("kitchen", wait_for_device=True, open_capture=open_capture)
    with pytest.raises(SourceError, match="PortAudio"):
        source.open()
