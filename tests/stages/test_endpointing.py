"""When an utterance begins and ends, counted in windows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.endpointing import Boundary, Endpointer, EndpointRule

RULE = EndpointRule(threshold=0.5, start=3, silence=5, longest=50)


def boundaries(probabilities: list[float], rule: EndpointRule = RULE) -> list[tuple[int, Boundary]]:
    endpointer = Endpointer(rule)
    found = ((index, endpointer.push(p)) for index, p in enumerate(probabilities))
    return [(index, boundary) for index, boundary in found if boundary is not Boundary.NONE]


def test_speech_begins_after_three_windows_and_ends_after_five_of_silence() -> None:
    assert boundaries([0.9] * 10 + [0.0] * 10) == [(2, Boundary.START), (14, Boundary.END)]


def test_a_click_does_not_begin_an_utterance() -> None:
    assert boundaries([0.0, 0.9, 0.9, 0.0] * 10) == []


def test_a_hesitation_shorter_than_the_silence_does_not_end_it() -> None:
    assert boundaries([0.9] * 5 + [0.0] * 4 + [0.9] * 5 + [0.0] * 5) == [
        (2, Boundary.START),
        (18, Boundary.END),
    ]


def test_speech_that_never_ends_is_cut_at_the_longest() -> None:
    assert boundaries([0.9] * 60)[:2] == [(2, Boundary.START), (49, Boundary.END)]


def test_speech_goes_on_a_little_below_the_threshold() -> None:
    assert boundaries([0.9] * 3 + [0.4] * 20) == [(2, Boundary.START)]


@given(st.lists(st.floats(0, 1), max_size=300))
def test_starts_and_ends_alternate_and_no_utterance_is_longer_than_the_longest(
    probabilities: list[float],
) -> None:
    found = boundaries(probabilities)
    kinds = [kind for _, kind in found]
    assert kinds == [Boundary.START, Boundary.END] * (len(kinds) // 2) + kinds[len(kinds) & ~1 :]
    assert kinds[len(kinds) & ~1 :] in ([], [Boundary.START])
    for (start, _), (end, _) in zip(found[::2], found[1::2], strict=False):
        assert end - start + RULE.start <= RULE.longest
