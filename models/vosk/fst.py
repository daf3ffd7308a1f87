"""Weighted transducers in OpenFst's ConstFst file format (version 2, little endian).

A file is a header and a body. The header is a magic number, the kind of FST and of arc as strings
(length, bytes), version and flags (int32), property bits (uint64), start state, number of states,
number of arcs (int64). The body of a ConstFst has 20 bytes for each state (cost of ending, first
arc, number of arcs, of arcs without input, of arcs without output) and then 16 bytes for each arc
(input label, output label, cost, target). Source: OpenFst 1.7.9,
``fst/fst.h`` and ``fst/const-fst.h``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from models.errors import ModelError

_MAGIC = 2125659606
_VERSION = 2
_INFINITY = float("inf")
_NO_FLAGS = 0
_STATE = struct.Struct("<fIIII")
_ARC = struct.Struct("<iifi")
_NUMBERS = struct.Struct("<iiQqqq")

# Property bits of OpenFst (fst/properties.h): what is known to hold of what is written here.
_EXPANDED = 0x1
_ACCEPTOR, _NOT_ACCEPTOR = 0x10000, 0x20000
_EPSILONS, _NO_EPSILONS = 0x400000, 0x800000
_ILABEL_SORTED, _NOT_ILABEL_SORTED = 0x10000000, 0x20000000
_OLABEL_SORTED, _NOT_OLABEL_SORTED = 0x40000000, 0x80000000
_WEIGHTED, _UNWEIGHTED = 0x100000000, 0x200000000


class WeightedArc(NamedTuple):
    """An arc of an acceptor; label 0 is empty, weights are costs (negative log-probabilities)."""

    label: int
    weight: float
    target: int


class Arc(NamedTuple):
    """An arc of a transducer; label 0 is empty, weights are costs."""

    input: int
    output: int
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

    def to_bytes(self) -> bytes:
        """An input-sorted ConstFst that Vosk and OpenFst read."""
        return Transducer(
            [
                [Arc(arc.label, arc.label, arc.weight, arc.target) for arc in sorted(state)]
                for state in self.arcs
            ],
            self.finals,
        ).to_bytes()

    def write(self, path: Path) -> None:
        """Write an input-sorted ConstFst that Vosk and OpenFst read."""
        path.write_bytes(self.to_bytes())


@dataclass
class Transducer:
    """States 0 … n-1 with start state 0, from input labels to output labels."""

    arcs: list[list[Arc]] = field(default_factory=lambda: [[]])
    """Arcs out of each state."""

    finals: dict[int, float] = field(default_factory=dict)
    """Cost of ending, by final state."""

    def add_state(self) -> int:
        """A new state without arcs."""
        self.arcs.append([])
        return len(self.arcs) - 1

    def add_arc(
        self, source: int, target: int, label: int, output: int = 0, weight: float = 0.0
    ) -> None:
        """A new arc from ``source`` to ``target``."""
        self.arcs[source].append(Arc(label, output, weight, target))

    def to_bytes(self) -> bytes:
        """A ConstFst with the arcs in their order."""
        states = bytearray()
        body = bytearray()
        position = 0
        for number, outgoing in enumerate(self.arcs):
            no_input = sum(arc.input == 0 for arc in outgoing)
            no_output = sum(arc.output == 0 for arc in outgoing)
            final = self.finals.get(number, _INFINITY)
            states += _STATE.pack(final, position, len(outgoing), no_input, no_output)
            for arc in outgoing:
                body += _ARC.pack(*arc)
            position += len(outgoing)
        head = header("const", self.properties(), len(self.arcs), position)
        return head + bytes(states) + bytes(body)

    def properties(self) -> int:
        """The bits of OpenFst for what each arc and its neighbour tell."""
        arcs = [arc for state in self.arcs for arc in state]
        pairs = [pair for state in self.arcs for pair in pairwise(state)]
        known = (
            (all(arc.input == arc.output for arc in arcs), _ACCEPTOR, _NOT_ACCEPTOR),
            (any(arc.input == arc.output == 0 for arc in arcs), _EPSILONS, _NO_EPSILONS),
            (all(a.input <= b.input for a, b in pairs), _ILABEL_SORTED, _NOT_ILABEL_SORTED),
            (all(a.output <= b.output for a, b in pairs), _OLABEL_SORTED, _NOT_OLABEL_SORTED),
            (
                any(self.finals.values()) or any(arc.weight for arc in arcs),
                _WEIGHTED,
                _UNWEIGHTED,
            ),
        )
        return _EXPANDED | sum(yes if holds else no for holds, yes, no in known)


def header(
    kind: str, properties: int, states: int, arcs: int, *, start: int = 0, version: int = _VERSION
) -> bytes:
    """The header of an FST file over standard arcs."""
    numbers = _NUMBERS.pack(version, _NO_FLAGS, properties, start, states, arcs)
    return struct.pack("<i", _MAGIC) + _string(kind) + _string("standard") + numbers


def read_const(data: bytes, at: int = 0) -> tuple[Transducer, int]:
    """The transducer of a ConstFst that begins at byte ``at``, and where it ends.

    Raises ModelError if none begins there.
    """
    try:
        kind, at = _read_string(data, at + 4)
        arc_kind, at = _read_string(data, at)
        version, flags, _, start, states, arcs = _NUMBERS.unpack_from(data, at)
        if (kind, arc_kind, version, flags, start) != ("const", "standard", _VERSION, 0, 0):
            raise ModelError(f"it is a {kind} FST over {arc_kind} arcs from state {start}")
        first_arc = at + _NUMBERS.size + _STATE.size * states
        body = data[first_arc : first_arc + _ARC.size * arcs]
        all_arcs = list(map(Arc._make, _ARC.iter_unpack(body)))
        found = Transducer([])
        rows = _STATE.iter_unpack(data[at + _NUMBERS.size : first_arc])
        for number, (final, position, count, _, _) in enumerate(rows):
            found.arcs.append(all_arcs[position : position + count])
            if final != _INFINITY:
                found.finals[number] = final
    except (struct.error, UnicodeDecodeError) as error:
        raise ModelError(f"it is not a ConstFst: {error}") from None
    return found, first_arc + _ARC.size * arcs


def _string(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()


def _read_string(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<i", data, at)
    return data[at + 4 : at + 4 + length].decode(), at + 4 + length
