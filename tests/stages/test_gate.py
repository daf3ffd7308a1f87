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
        gate.open_for(ROOM)
    assert not gate.open_for(ROOM)
    return gate


def test_it_is_open_from_the_first_window_until_it_knows_the_room() -> None:
    gate = EnergyGate()
    assert all(gate.open_for(ROOM) for _ in range(MEMORY_WINDOWS))


def test_it_closes_in_a_steadily_quiet_room() -> None:
    quiet_gate()


@pytest.mark.parametrize("above", [4.0, 6.0, 20.0])
def test_it_opens_at_once_when_something_is_louder_than_the_room(above: float) -> None:
    assert quiet_gate().open_for(ROOM + above)


def test_it_stays_open_half_a_second_behind_the_last_loud_window() -> None:
    gate = quiet_gate()
    gate.open_for(ROOM + 20)
    assert [gate.open_for(ROOM) for _ in range(HOLD_WINDOWS + 1)] == [True] * (HOLD_WINDOWS - 1) + [
        False
    ] * 2


def test_it_learns_a_room_that_has_become_louder() -> None:
    gate = quiet_gate()
    opened = [gate.open_for(ROOM + 15) for _ in range(3 * MEMORY_WINDOWS)]
    assert opened[0]
    assert not opened[-1]


def test_a_room_that_has_become_quieter_is_learned_at_once() -> None:
    gate = quiet_gate()
    for _ in range(3):
        gate.open_for(ROOM - 15)
    assert gate.open_for(ROOM - 15 + 6)


def test_digital_silence_never_opens_it() -> None:
    gate = EnergyGate()
    opened = [gate.open_for(-90.3) for _ in range(MEMORY_WINDOWS)]
    assert not any(opened[HOLD_WINDOWS:])


def test_levels_are_decibels_below_full_scale() -> None:
    full = np.full(512, 32767, "<i2")
    tenth = np.full(512, 3277, "<i2")
    found = levels(np.concatenate([full, tenth, np.zeros(512, "<i2")]).tobytes(), 512)
    assert found == pytest.approx([0.0, -20.0, -90.0], abs=0.01)


def test_a_loud_window_does_not_overflow() -> None:
    assert levels(np.full(512, -32768, "<i2").tobytes(), 512)[0] == pytest.approx(0.0, abs=0.01)
