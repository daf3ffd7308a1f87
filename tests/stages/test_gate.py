"""The cheap gate before the neural detector."""

from __future__ import annotations

import numpy as np
import pytest

from stages.gate import HOLD_WINDOWS, MEMORY_WINDOWS, EnergyGate, levels

ROOM = -50.0


def quiet_gate() -> EnergyGate:
    """A gate that has learned a room at -50 dBFS and has closed."""
    gate = EnergyGate()
    for _ in range(MEMORY_WINDOWS + HOLD_WINDOWS + 1):
        gate.open_for(ROOM, ROOM)
    assert not gate.open_for(ROOM, ROOM)
    return gate


def test_it_is_open_from_the_first_window_until_it_knows_the_room() -> None:
    gate = EnergyGate()
    assert all(gate.open_for(ROOM, ROOM) for _ in range(MEMORY_WINDOWS))


def test_it_closes_in_a_steadily_quiet_room() -> None:
    quiet_gate()


@pytest.mark.parametrize("above", [4.0, 6.0, 20.0])
def test_it_opens_at_once_when_something_is_louder_than_the_room(above: float) -> None:
    assert quiet_gate().open_for(ROOM + above, ROOM + above)


def test_it_stays_open_half_a_second_behind_the_last_loud_window() -> None:
    gate = quiet_gate()
    gate.open_for(ROOM + 20, ROOM + 20)
    assert [gate.open_for(ROOM, ROOM) for _ in range(HOLD_WINDOWS + 1)] == [True] * (
        HOLD_WINDOWS - 1
    ) + [False] * 2


def test_it_learns_a_room_that_has_become_louder() -> None:
    gate = quiet_gate()
    opened = [gate.open_for(ROOM + 15, ROOM + 15) for _ in range(3 * MEMORY_WINDOWS)]
    assert opened[0]
    assert not opened[-1]


def test_a_room_that_has_become_quieter_is_learned_at_once() -> None:
    gate = quiet_gate()
    for _ in range(3):
        gate.open_for(ROOM - 15, ROOM - 15)
    assert gate.open_for(ROOM - 15 + 6, ROOM - 15 + 6)


def test_digital_silence_never_opens_it() -> None:
    gate = EnergyGate()
    opened = [gate.open_for(-90.3, -90.3) for _ in range(MEMORY_WINDOWS)]
    assert not any(opened[HOLD_WINDOWS:])


def test_a_rise_of_either_level_opens_it() -> None:
    assert quiet_gate().open_for(ROOM + 6, ROOM)
    assert quiet_gate().open_for(ROOM, ROOM + 4)
    assert not quiet_gate().open_for(ROOM + 4, ROOM + 2)


def tone(frequency: float, amplitude: float = 16_384) -> bytes:
    wave = np.sin(2 * np.pi * frequency * np.arange(512) / 16_000) * amplitude
    return bytes(wave.astype("<i2").tobytes())


def test_levels_are_decibels_below_full_scale_one_pair_a_window() -> None:
    first, second = levels(tone(1000) + bytes(1024), 512)
    assert first[0] == pytest.approx(-9.0, abs=0.1)
    assert second == pytest.approx((-90.0, -90.0))


def test_the_first_level_leaves_out_what_is_slow_and_the_second_weighs_what_is_fast() -> None:
    [offset] = levels(np.full(512, 16_384, "<i2").tobytes(), 512)
    [rumble] = levels(tone(20), 512)
    [vowel] = levels(tone(500), 512)
    [hiss] = levels(tone(6000), 512)
    assert offset[0] < -80
    assert rumble[0] < vowel[0] - 10
    assert hiss[1] > vowel[1] + 15


def test_a_piece_of_a_window_at_the_end_is_left_out() -> None:
    assert len(levels(tone(500) + b"\1\2\3\4", 512)) == 1
    assert levels(b"", 512) == []


def test_a_loud_window_does_not_overflow() -> None:
    [(level, _)] = levels((np.tile([-32768, 32767], 256)).astype("<i2").tobytes(), 512)
    assert level == pytest.approx(0.0, abs=0.01)
