"""Look-ahead graphs: the ``olabel_lookahead`` file of OpenFst, which Vosk composes with a grammar.

Such a file tells for each state which words can come next on the paths from it. Words are
renumbered in the order in which a depth-first walk meets them, so that those behind a state of a
prefix tree are few intervals of numbers (Allauzen, Riley and Schalkwyk, 2009).

The file is an FST header of kind olabel_lookahead, the magic number 446681434, a ConstFst whose
arcs are sorted by output, and then: a byte 1 (data follow), 0 (none for inputs), 1 (for outputs), 0
(outputs, not inputs), 0 (no table of numbers); the number that stands for the end (int32), the
number of states (int64), and for each state the number of intervals (int64), their first and last
number plus one (int32), and how many numbers are in them (int32). Source: OpenFst 1.7.9,
``add-on.h``, ``label-reachable.h``, ``state-reachable.h`` and ``interval-set.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from models.errors import ModelError
from models.vosk.fst import Arc, Transducer, header, read_const

_KIND = "olabel_lookahead"
_VERSION = 1
_MAGIC = struct.pack("<i", 446681434)
_FLAGS = bytes((1, 0, 1, 0, 0))

Intervals = list[tuple[int, int]]
"""Half-open, sorted, not touching each other."""


def lookahead_fst(graph: Transducer) -> tuple[bytes, dict[int, int]]:
    """The bytes of the graph as look-ahead file, and the new numbers of its outputs.

    Every cycle of the graph must be of one arc, or have an output. Raises ModelError otherwise.
    """
    sorted_ = Transducer([sorted(arcs, key=_by_output) for arcs in graph.arcs], graph.finals)
    numbers, end, intervals = _reach(sorted_)
    renumbered = [
        sorted(
            (arc._replace(output=numbers[arc.output]) if arc.output else arc for arc in arcs),
            key=_by_output,
        )
        for arcs in sorted_.arcs
    ]
    inner = Transducer(renumbered, graph.finals)
    parts = [
        header(_KIND, inner.properties(), 0, 0, start=-1, version=_VERSION),
        _MAGIC,
        inner.to_bytes(),
        _FLAGS,
        struct.pack("<iq", end, len(intervals)),
    ]
    for found in intervals:
        size = sum(last - first for first, last in found)
        flat = [number for interval in found for number in interval]
        parts.append(struct.pack(f"<q{len(flat)}ii", len(found), *flat, size))
    return b"".join(parts), numbers


def read_lookahead(data: bytes) -> tuple[Transducer, list[Intervals]]:
    """The graph of a look-ahead file, and the intervals of words that each state reaches.

    Raises ModelError if it is no such file.
    """
    at = len(header(_KIND, 0, 0, 0)) + len(_MAGIC)
    try:
        if data[8 : 8 + len(_KIND)] != _KIND.encode() or data[at - 4 : at] != _MAGIC:
            raise ModelError(f"it is no FST of the kind {_KIND}")
        graph, at = read_const(data, at)
        if data[at : at + len(_FLAGS)] != _FLAGS:
            raise ModelError("it has no look-ahead for outputs, or more than that")
        at += len(_FLAGS) + 4
        (states,) = struct.unpack_from("<q", data, at)
        at += 8
        intervals = []
        for _ in range(states):
            (count,) = struct.unpack_from("<q", data, at)
            flat = struct.unpack_from(f"<{2 * count}i", data, at + 8)
            intervals.append(list(zip(flat[::2], flat[1::2], strict=True)))
            at += 12 + 8 * count
        if at != len(data):
            raise ModelError("it is cut off, or has something behind its end")
    except struct.error as error:
        raise ModelError(f"it is cut off: {error}") from None
    return graph, intervals


def _by_output(arc: Arc) -> tuple[int, int]:
    return arc.output, arc.input


def _reach(graph: Transducer) -> tuple[dict[int, int], int, list[Intervals]]:
    """New numbers of the outputs, that of the end, and what each state reaches."""
    numbers: dict[int, int] = {}
    end = 0
    reached: dict[int, Intervals] = {}
    following = 1
    for root in range(len(graph.arcs)):
        open_: dict[int, list[tuple[int, int]]] = {}
        stack = [(root, 0)] if root not in reached else []
        while stack:
            state, position = stack.pop()
            found = open_.setdefault(state, [])
            arcs = graph.arcs[state]
            while position < len(arcs):
                arc = arcs[position]
                position += 1
                if arc.output:
                    if arc.output not in numbers:
                        numbers[arc.output] = following
                        following += 1
                    found.append((numbers[arc.output], numbers[arc.output] + 1))
                elif arc.target in reached:
                    found.extend(reached[arc.target])
                elif arc.target in open_:
                    if arc.target != state:
                        raise ModelError("the graph has a cycle without a word: no look-ahead")
                else:
                    stack += [(state, position - 1), (arc.target, 0)]
                    break
            else:
                if state in graph.finals:
                    if not end:
                        end = following
                        following += 1
                    found.append((end, end + 1))
                reached[state] = _normalised(found)
                del open_[state]
    return numbers, end, [reached[state] for state in range(len(graph.arcs))]


def _normalised(intervals: Iterable[tuple[int, int]]) -> Intervals:
    found: Intervals = []
    for first, last in sorted(intervals):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
