"""Whatever happens to the network or the hub: what the buffer can hold arrives, once, in order.

The cuts are short here; INTENTD_LONG=1 makes them half a minute (`make soak`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import zmq
from satellite_pair import BLOCK, Pair, RunningHub, audio

from pipeline.satellites.frames import Block, Hello, encode
from stages.messages import AudioBlock, EndOfStream, ErrorReport, StateReport

LONG = os.environ.get("INTENTD_LONG") == "1"
CUT = 30.0 if LONG else 1.5
"""Seconds without a network."""


def expected(blocks: list[AudioBlock]) -> bytes:
    return b"".join(block.pcm for block in blocks)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.fixture
def start_hub() -> Iterator[Callable[..., RunningHub]]:
    hubs: list[RunningHub] = []

    def start(pair: Pair, **options: float) -> RunningHub:
        hubs.append(RunningHub(pair.port, **options))
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.kill()


Start = Callable[..., RunningHub]


def test_without_faults_every_sample_arrives(pair: Pair, start_hub: Start) -> None:
    hub, blocks = start_hub(pair), audio(100)
    pair.send(blocks)
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)
    first = next(m for m in hub.messages if isinstance(m, AudioBlock))
    assert (first.source, first.captured) == ("kitchen", 1e9)
    ends = [m for m in hub.messages if isinstance(m, EndOfStream)]
    assert [end.position for end in ends] == [100 * BLOCK]


def test_a_cut_loses_nothing_that_the_buffer_holds(pair: Pair, start_hub: Start) -> None:
    hub, blocks = start_hub(pair), audio(200)

    def cut() -> None:
        pair.network.cut()

    def mend() -> None:
        pair.step_for(CUT)
        pair.network.mend()

    pair.send(blocks, at={60: cut, 140: mend})
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)
    assert (hub.lost(), pair.link.ring.lost) == (0, 0)
    print(f"cut of {CUT:g} s: {len(blocks)} blocks sent, 0 lost, 0 twice")


def test_many_short_cuts_lose_nothing_and_double_nothing(pair: Pair, start_hub: Start) -> None:
    hub, blocks = start_hub(pair), audio(300)

    def cut() -> None:
        pair.network.cut()
        pair.network.mend()

    pair.send(blocks, at=dict.fromkeys(range(20, 300, 35), cut))
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)


def test_a_cable_that_is_pulled_without_a_word_is_noticed(pair: Pair, start_hub: Start) -> None:
    hub, blocks = start_hub(pair), audio(150)

    def freeze() -> None:
        pair.network.frozen = True

    def thaw() -> None:
        pair.step_for(max(CUT, 8.0))
        assert pair.link.state == "searching", "three heartbeats are missing"
        pair.network.cut()  # what was frozen is gone
        pair.network.mend()

    pair.send(blocks, at={50: freeze, 100: thaw})
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)
    assert "satellite-lost" in [m.state for m in hub.messages if isinstance(m, StateReport)]


def test_what_the_buffer_cannot_hold_is_counted_on_both_sides(start_hub: Start) -> None:
    pair = Pair(buffer=3.0)
    try:
        hub, blocks = start_hub(pair), audio(120)
        pair.send(blocks[:30])
        pair.step_for(1.0)
        pair.network.cut()
        pair.step_for(0.3)
        pair.send(blocks[30:110], pace=0.0)
        pair.network.mend()
        pair.step_for(3.0)
        pair.send(blocks[110:])
        pair.finish(blocks)
        assert hub.lost() == hub.told_lost() == pair.link.ring.lost == 50 * BLOCK
        assert hub.pcm() == expected(blocks[:30] + blocks[80:]), "30 of 80 have room"
        print(f"overflow: {50 * BLOCK} samples lost, {hub.told_lost()} told")
    finally:
        pair.close()


def test_a_slow_line_loses_only_what_has_no_room_and_says_how_much(start_hub: Start) -> None:
    """Less than PCM needs: the ring fills up, the rest is counted, the order stays."""
    pair = Pair(buffer=2.0)
    try:
        hub, blocks = start_hub(pair), audio(130)
        pair.network.rate = 16_000
        pair.send(blocks, pace=0.02)
        pair.network.mend()
        pair.finish(blocks, 30)
        arrived = len(hub.pcm()) // 2
        assert pair.link.ring.lost == hub.lost() > 0
        assert arrived + hub.lost() == len(blocks) * BLOCK
    finally:
        pair.close()


def test_a_hub_that_is_killed_gets_again_what_it_had_not_published(
    pair: Pair, start_hub: Start
) -> None:
    """The first hub takes all and publishes nothing; the second one publishes."""
    deaf, blocks = start_hub(pair, publish_after=1e9), audio(120)
    pair.send(blocks[:60])
    pair.step_for(0.5)
    deaf.kill()
    assert len(deaf.pcm()) > 0
    pair.send(blocks[60:90])
    hub = start_hub(pair)
    pair.send(blocks[90:])
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)


def test_a_hub_that_is_restarted_does_not_get_again_what_was_published(
    pair: Pair, start_hub: Start
) -> None:
    first, blocks = start_hub(pair, publish_after=0.0), audio(120)
    pair.send(blocks[:60])
    pair.step_for(1.0)
    assert len(pair.link.ring) == 0
    first.kill()
    second = start_hub(pair)
    pair.send(blocks[60:])
    pair.finish(blocks)
    assert first.pcm() + second.pcm() == expected(blocks)


def test_a_stream_that_the_hub_gave_up_goes_on_and_nothing_is_doubled(
    pair: Pair, start_hub: Start
) -> None:
    hub, blocks = start_hub(pair, patience=0.5), audio(100)
    pair.send(blocks[:50])
    pair.step_for(0.5)
    pair.network.cut()
    pair.step_for(1.5)
    pair.network.mend()
    pair.send(blocks[50:])
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)
    ends = [m for m in hub.messages if isinstance(m, EndOfStream)]
    assert len(ends) == len({end.stream for end in ends}) == 2


def test_a_stream_that_ended_after_the_hub_gave_it_up_is_done_too(
    pair: Pair, start_hub: Start
) -> None:
    hub, blocks = start_hub(pair, patience=0.5), audio(30)
    pair.send(blocks)
    pair.step_for(0.5)
    pair.network.cut()
    pair.step_for(1.5)
    pair.network.mend()
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)


def test_opus_arrives_as_long_as_it_was_and_much_smaller(start_hub: Start) -> None:
    pytest.importorskip("av")
    pair = Pair(codec="opus")
    try:
        hub = start_hub(pair)
        tone = np.sin(2 * np.pi * 440 * np.arange(100 * BLOCK) / 16_000) * 8000
        pieces = tone.astype("<i2").reshape(100, BLOCK)
        blocks = [
            AudioBlock(source="m", stream="m-1", position=i * BLOCK, captured=1e9, pcm=p.tobytes())
            for i, p in enumerate(pieces)
        ]
        pair.send(blocks, at={40: pair.network.cut, 60: pair.network.mend})
        pair.finish(blocks)
        heard = np.frombuffer(hub.pcm(), "<i2").astype(float)
        assert len(heard) == 100 * BLOCK
        assert np.corrcoef(heard[2000:-2000], np.roll(tone, 104)[2000:-2000])[0, 1] > 0.95
    finally:
        pair.close()


def test_frames_that_are_not_ours_are_dropped_counted_and_told(
    pair: Pair, start_hub: Start
) -> None:
    hub = start_hub(pair)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    stranger = context.socket(zmq.DEALER)
    stranger.linger = 0
    stranger.connect(f"tcp://127.0.0.1:{pair.port}")
    hello = Hello(session="s", name="odd", codec="pcm", first=0)
    block = Block(
        seq=0, oldest=True, stream="a", position=0, captured=1.0, lost=0, samples=2, packets=(b"1",)
    )
    for junk in (b"", b"\x01", b"\x01\xc1", b"\x02", b"\x80\x04\x95cos\nsystem\n", encode(hello)):
        stranger.send(junk)
    stranger.send_multipart([b"a", b"b"])
    stranger.send(encode(block))  # 1 byte for 2 samples
    stranger.send(b"\x01" * 20_000)  # too long: the connection ends
    time.sleep(0.5)
    blocks = audio(20)
    pair.send(blocks)
    pair.finish(blocks)
    assert hub.pcm() == expected(blocks)
    codes = {m.code for m in hub.messages if isinstance(m, ErrorReport)}
    assert codes == {"garbage", "bad-audio"}
    stranger.close()
    context.term()


def test_a_second_satellite_of_the_same_name_waits_its_turn(pair: Pair, start_hub: Start) -> None:
    hub = start_hub(pair)
    pair.send(audio(5))
    pair.step_for(0.5)
    other = Pair(port=pair.port)
    try:
        other.step_for(0.5)
        assert other.link.state == "refused"
        assert "another satellite called kitchen" in other.link.reason
        assert pair.link.state == "connected"
    finally:
        other.close()
    assert not any(isinstance(m, ErrorReport) for m in hub.messages)
