"""Align letters with phones: expectation maximisation over graphones.

A graphone is a piece of spelling with a piece of pronunciation; here one letter with up to two
phones, or two letters with one phone (Bisani and Ney, 2008; Jiampojamarn, Kondrak and Sherif,
2007). Words that no such pieces make are left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.pronunciation.phones import Phones

SHAPES = ((1, 1), (1, 0), (1, 2), (2, 1))
"""Letters and phones of a graphone."""

_START = {(1, 1): 1.0, (1, 0): 0.1, (1, 2): 0.02, (2, 1): 0.1}
"""Weights of the shapes before anything is known."""


class Graphone(NamedTuple):
    """A piece of spelling and the phones that it stands for."""

    letters: str
    phones: Phones


Entry = tuple[str, Phones]
Weights = dict[Graphone, float]


def align(entries: Iterable[Entry], iterations: int = 6) -> list[list[Graphone]]:
    """The likeliest graphones of each entry; entries that can't be aligned are left out."""
    spelled = sorted(set(entries))
    weights: Weights = {}
    for _ in range(iterations):
        counts: defaultdict[Graphone, float] = defaultdict(float)
        for word, phones in spelled:
            _expect(word, phones, weights, counts)
        total = sum(counts.values())
        weights = {graphone: count / total for graphone, count in counts.items()}
    found = (_best(word, phones, weights) for word, phones in spelled)
    return [graphones for graphones in found if graphones]


def _steps(word: str, phones: Phones, at: int, spoken: int) -> Iterator[tuple[int, int, Graphone]]:
    for letters, sounds in SHAPES:
        if at + letters <= len(word) and spoken + sounds <= len(phones):
            piece = Graphone(word[at : at + letters], phones[spoken : spoken + sounds])
            yield at + letters, spoken + sounds, piece


def _weight(graphone: Graphone, weights: Weights) -> float:
    if not weights:
        return _START[len(graphone.letters), len(graphone.phones)]
    return weights.get(graphone, 0.0)


def _expect(
    word: str, phones: Phones, weights: Weights, counts: defaultdict[Graphone, float]
) -> None:
    """Add the expected counts of the graphones of one entry (forward-backward)."""
    forward: defaultdict[tuple[int, int], float] = defaultdict(float, {(0, 0): 1.0})
    arcs = []
    for at in range(len(word)):
        for spoken in range(len(phones) + 1):
            mass = forward.get((at, spoken), 0.0)
            if mass:
                for to, said, graphone in _steps(word, phones, at, spoken):
                    weight = _weight(graphone, weights)
                    if weight:
                        forward[to, said] += mass * weight
                        arcs.append((at, spoken, to, said, graphone, weight))
    total = forward.get((len(word), len(phones)), 0.0)
    if not total:
        return
    backward: defaultdict[tuple[int, int], float] = defaultdict(
        float, {(len(word), len(phones)): 1.0}
    )
    for at, spoken, to, said, graphone, weight in reversed(arcs):
        beyond = backward.get((to, said), 0.0)
        if beyond:
            backward[at, spoken] += weight * beyond
            counts[graphone] += forward[at, spoken] * weight * beyond / total


def _best(word: str, phones: Phones, weights: Weights) -> list[Graphone]:
    """The likeliest graphones of an entry (Viterbi); empty if there are none."""
    best: dict[tuple[int, int], tuple[float, tuple[int, int], Graphone | None]]
    best = {(0, 0): (0.0, (0, 0), None)}
    for at in range(len(word)):
        for spoken in range(len(phones) + 1):
            if (at, spoken) in best:
                cost = best[at, spoken][0]
                for to, said, graphone in _steps(word, phones, at, spoken):
                    weight = _weight(graphone, weights)
                    if weight:
                        total = cost - math.log(weight)
                        if (to, said) not in best or total < best[to, said][0]:
                            best[to, said] = (total, (at, spoken), graphone)
    found: list[Graphone] = []
    place = (len(word), len(phones))
    while place in best:
        _, before, step = best[place]
        if step is None:
            return found[::-1]
        found.append(step)
        place = before
    return []
