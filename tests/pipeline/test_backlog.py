"""Live audio that the machine is too busy for: kept up to a bound, then dropped and told."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.source_runner import Backlog
from stages.messages import AudioBlock, StateReport

BLOCK = 1600


def block(number: int, level: int, lost: int = 0) -> AudioBlock:
    pcm = np.full(BLOCK, level, "<i2").tobytes()
    return AudioBlock(
        source="m", stream="s", position=number * BLOCK, captured=0.0, pcm=pcm, lost=lost
    )


def contents(backlog: Backlog) -> list[AudioBlock]:
    found = []
    while backlog:
        if isinstance(backlog.first, AudioBlock):
            found.append(backlog.first)
        backlog.pop()
    return found


def test_within_the_bound_nothing_is_dropped() -> None:
    backlog = Backlog(1.0)
    assert [backlog.append(block(n, 100)) for n in range(10)] == [0] * 10
    assert [b.position for b in contents(backlog)] == [n * BLOCK for n in range(10)]


def test_the_oldest_silence_goes_first_and_speech_stays() -> None:
    backlog = Backlog(1.0)
    loud = {3, 4, 5, 6, 7}
    for n in range(10):
        backlog.append(block(n, 8000 if n in loud else 5))
    assert backlog.append(block(10, 8000)) == BLOCK
    assert backlog.append(block(11, 8000)) == BLOCK
    assert [b.position // BLOCK for b in contents(backlog)] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


def test_the_block_behind_a_gap_tells_how_much_is_missing() -> None:
    backlog = Backlog(0.5)
    for n in range(9):
        backlog.append(block(n, 100))
    kept = contents(backlog)
    assert kept[0].position == 4 * BLOCK
    assert kept[0].lost == 4 * BLOCK


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=60))
def test_every_sample_is_kept_or_counted_in_order(levels: list[int]) -> None:
    backlog = Backlog(1.0)
    dropped = sum(backlog.append(block(n, level)) for n, level in enumerate(levels))
    kept = contents(backlog)
    assert len(kept) * BLOCK + dropped == len(levels) * BLOCK
    assert len(kept) <= 10
    position = 0
    for b in kept:
        assert b.position == position + b.lost
        position = b.position + BLOCK


def test_other_messages_are_never_dropped() -> None:
    backlog = Backlog(0.1)
    report = StateReport(source="m", stream="", state="device-lost")
    backlog.append(report)
    for n in range(20):
        backlog.append(block(n, 100))
    assert backlog.first is report
