"""Weighted acceptors in OpenFst's ConstFst file format (version 2, little endian)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_MAGIC = 2125659606
_VERSION = 2
_INFINITY = float("inf")
_NO_STATE_FLAGS = 0

# Property bits of OpenFst (fst/properties.h) that hold for what is written here.
_EXPANDED = 0x1
_ACCEPTOR = 0x10000
_NO_EPSILONS = 0x800000
_EPSILONS = 0x400000
_ILABEL_SORTED = 0x10000000
_OLABEL_SORTED = 0x40000000
_WEIGHTED = 0x100000000
_UNWEIGHTED = 0x200000000


class WeightedArc(NamedTuple):
    """An arc of an acceptor; label 0 is empty, weights are costs (negative log-probabilities)."""

    label: int
    weight: float
    target: int


@dataclass
class WeightedAcceptor:
    """States 0 … n-1 with start state 0."""

    arcs: list[list[WeightedArc]] = field(default_factory=lambda: [[]])
    """Arcs out of each state."""

    finals: dict[int, float] = field(default_factory=dict)
    """Cost of ending, by final state."""

    def add_state(self) -> int:
        """A new state without arcs."""
        self.arcs.append([])
        return len(self.arcs) - 1

    def write(self, path: Path) -> None:
        """Write an input-sorted ConstFst that Vosk and OpenFst read."""
        path.write_bytes(const_fst(self.arcs, self.finals))


def const_fst(arcs: Sequence[Sequence[WeightedArc]], finals: Mapping[int, float]) -> bytes:
    """The bytes of a ConstFst over standard arcs with the given states."""
    epsilons = any(arc.label == 0 for state in arcs for arc in state)
    weighted = any(finals.values()) or any(arc.weight for state in arcs for arc in state)
    properties = _EXPANDED | _ACCEPTOR | _ILABEL_SORTED | _OLABEL_SORTED
    properties |= _EPSILONS if epsilons else _NO_EPSILONS
    properties |= _WEIGHTED if weighted else _UNWEIGHTED
    count = sum(len(state) for state in arcs)
    header = struct.pack("<i", _MAGIC) + _string("const") + _string("standard")
    header += struct.pack("<iiQqqq", _VERSION, _NO_STATE_FLAGS, properties, 0, len(arcs), count)
    states = bytearray()
    body = bytearray()
    position = 0
    for number, outgoing in enumerate(arcs):
        empty = sum(arc.label == 0 for arc in outgoing)
        final = finals.get(number, _INFINITY)
        states += struct.pack("<fIIII", final, position, len(outgoing), empty, empty)
        for arc in sorted(outgoing):
            body += struct.pack("<iifi", arc.label, arc.label, arc.weight, arc.target)
        position += len(outgoing)
    return header + bytes(states) + bytes(body)


def _string(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()
