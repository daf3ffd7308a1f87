"""What a source gave: kept until it is published, sent again after a crash, bounded."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ring import Ring
from stages.messages import AudioBlock, EndOfStream, Resume, StageMessage, StateReport

BLOCK = 1600


def block(number: int, level: int, lost: int = 0) -> AudioBlock:
    pcm = np.full(BLOCK, level, "<i2").tobytes()
    return AudioBlock(
        source="m", stream="s", position=number * BLOCK, captured=0.0, pcm=pcm, lost=lost
    )


def make(live: float = 1.0, keep: float = 60.0) -> Ring:
    return Ring(keep=keep, live=live, history=0.2)


def put(ring: Ring, *messages: StageMessage) -> int:
    """Append; the samples that are lost by it."""
    lost = 0
    for message in messages:
        ring.append(message)
        lost += ring.shed()
    return lost


def send(ring: Ring, count: int = 10_000) -> list[StageMessage]:
    """What is sent when the next stage takes so many."""
    sent = []
    while ring.unsent and len(sent) < count:
        sent.append(ring.first)
        ring.sent()
    return sent


def audio(messages: list[StageMessage]) -> list[AudioBlock]:
    return [message for message in messages if isinstance(message, AudioBlock)]


def acknowledge(ring: Ring, position: int, checkpoint: bytes = b"c", final: bool = False) -> None:
    ring.acknowledge("s", position, checkpoint, final=final)


END = EndOfStream(source="m", stream="s", position=20 * BLOCK)


def test_within_the_bound_nothing_is_dropped() -> None:
    ring = make()
    assert put(ring, *(block(n, 100) for n in range(10))) == 0
    assert [b.position for b in audio(send(ring))] == [n * BLOCK for n in range(10)]


def test_the_oldest_silence_goes_first_and_speech_stays() -> None:
    ring = make()
    loud = {3, 4, 5, 6, 7}
    put(ring, *(block(n, 8000 if n in loud else 5) for n in range(10)))
    assert put(ring, block(10, 8000)) == BLOCK
    assert put(ring, block(11, 8000)) == BLOCK
    sent = audio(send(ring))
    assert [b.position // BLOCK for b in sent] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


def test_the_block_behind_a_gap_tells_how_much_is_missing() -> None:
    ring = make(live=0.5)
    put(ring, *(block(n, 100) for n in range(9)))
    kept = audio(send(ring))
    assert kept[0].position == 4 * BLOCK
    assert kept[0].lost == 4 * BLOCK


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=60))
def test_every_sample_is_kept_or_counted_in_order(levels: list[int]) -> None:
    ring = make()
    dropped = put(ring, *(block(n, level) for n, level in enumerate(levels)))
    kept = audio(send(ring))
    assert len(kept) * BLOCK + dropped == len(levels) * BLOCK
    assert len(kept) <= 10
    position = 0
    for b in kept:
        assert b.position == position + b.lost
        position = b.position + BLOCK


def test_other_messages_are_never_dropped() -> None:
    ring = make(live=0.1)
    report = StateReport(source="m", stream="", state="device-lost")
    put(ring, report, *(block(n, 100) for n in range(20)))
    assert ring.first is report


def test_what_was_sent_does_not_count_as_waiting() -> None:
    ring = make(live=0.5)
    for n in range(50):
        assert put(ring, block(n, 100)) == 0
        send(ring)


def test_after_a_crash_all_that_is_not_published_is_sent_again_from_the_checkpoint() -> None:
    ring = make()
    put(ring, *(block(n, n) for n in range(10)))
    first = audio(send(ring))
    acknowledge(ring, 3 * BLOCK + 100, b"state at 3.06")
    assert ring.rewind() == 0
    resume, *again = send(ring)
    assert isinstance(resume, Resume)
    assert (resume.position, resume.checkpoint) == (3 * BLOCK + 100, b"state at 3.06")
    assert resume.pcm == b"".join(b.pcm for b in first)[: 2 * resume.position][-2 * 3200 :]
    assert audio(again)[0].position == 3 * BLOCK + 100
    pcm = b"".join(b.pcm for b in audio(again))
    assert pcm == b"".join(b.pcm for b in first)[2 * (3 * BLOCK + 100) :]


def test_without_an_acknowledgement_the_stream_is_sent_from_its_start() -> None:
    ring = make()
    put(ring, *(block(n, n) for n in range(5)), END)
    once = send(ring)
    ring.rewind()
    assert send(ring) == once


def test_a_stream_is_forgotten_when_its_end_is_published() -> None:
    ring = make()
    put(ring, *(block(n, n) for n in range(5)), END)
    send(ring)
    acknowledge(ring, 2 * BLOCK)
    assert ring.pending
    acknowledge(ring, 20 * BLOCK, b"", final=True)
    assert not ring.pending
    ring.rewind()
    assert not ring.unsent


def test_a_second_crash_at_the_same_place_sends_the_same() -> None:
    ring = make()
    put(ring, *(block(n, n) for n in range(10)))
    send(ring)
    acknowledge(ring, 4 * BLOCK + 7)
    ring.rewind()
    once = send(ring)
    ring.rewind()
    assert send(ring) == once


def test_an_acknowledgement_from_before_a_crash_leaves_no_gap_in_what_is_sent_again() -> None:
    ring = make()
    put(ring, *(block(n, n) for n in range(10)), END)
    send(ring)
    acknowledge(ring, 2 * BLOCK)
    ring.rewind()
    acknowledge(ring, 8 * BLOCK)
    resume, *blocks = send(ring, 3)
    assert resume.position == audio(blocks)[0].position == 2 * BLOCK
    acknowledge(ring, 8 * BLOCK)
    acknowledge(ring, 20 * BLOCK, final=True)
    assert [b.position // BLOCK for b in audio(send(ring))] == [4, 5, 6, 7, 8, 9]


def test_what_was_away_for_too_long_is_counted() -> None:
    ring = make(keep=1.0)
    for n in range(30):
        assert put(ring, block(n, 100)) == 0
        send(ring)
    lost = ring.rewind()
    assert 19 * BLOCK <= lost <= 20 * BLOCK
    assert audio(send(ring))[0].position == lost


def test_audio_that_brings_a_stage_down_again_and_again_is_left_out() -> None:
    ring = make()
    put(ring, *(block(n, n) for n in range(10)))
    send(ring, 6)
    assert ring.skip() == 6 * BLOCK
    ring.rewind()
    rest = audio(send(ring))
    assert (rest[0].position, rest[0].lost) == (6 * BLOCK, 6 * BLOCK)


@given(st.data())
def test_whatever_happens_every_sample_is_sent_until_it_is_published(data: st.DataObject) -> None:
    """Sending, acknowledging and crashing in any order, without any bound reached."""
    ring = Ring(keep=600, live=600, history=0.2)
    given, acknowledged, reached = 0, 0, 0
    for action in data.draw(st.lists(st.sampled_from("gsar"), max_size=60)):
        if action == "g":
            put(ring, block(given, given))
            given += 1
        elif action == "s":
            for message in send(ring, data.draw(st.integers(1, 5))):
                assert message.position == reached, "a gap, or audio twice"
                if isinstance(message, AudioBlock):
                    reached += len(message.pcm) // 2
        elif action == "a" and given:
            # Also of what was sent before a crash, and a second time of what is sent again.
            position = data.draw(st.integers(1, given * BLOCK))
            if acknowledged < position <= reached:
                acknowledged = position
            acknowledge(ring, position)
        elif action == "r":
            ring.rewind()
            reached = acknowledged
    ring.rewind()
    rest = audio(send(ring))
    assert (
        b"".join(b.pcm for b in rest)
        == b"".join(block(n, n).pcm for n in range(given))[2 * acknowledged :]
    )
