"""The short form of fuzzing: seeds, what was found once, and damaged seeds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

REGRESSIONS = Path(__file__).parent / "regressions"


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_what_was_found_once(name: str) -> None:
    seeds = [*TARGETS[name].seeds()]
    assert seeds
    seeds += [path.read_bytes() for path in sorted(REGRESSIONS.glob(f"{name}-*"))]
    for seed in seeds:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damaged_input_raises_nothing_but_the_promised_error(
    name: str, data: st.DataObject
) -> None:
    target = TARGETS[name]
    seed = bytearray(data.draw(st.sampled_from([*target.seeds(), b""])))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(seed)))
        length = data.draw(st.integers(0, 8))
        seed[at : at + length] = data.draw(st.binary(max_size=8))
    target(bytes(seed))
