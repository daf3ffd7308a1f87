"""Look-ahead graphs: what OpenFst makes of a word tree, made by our own code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.pronunciation import PHONES
from models.vosk.fst import Transducer, read_const
from models.vosk.graph import WordTree
from models.vosk.lexicon import Lexicon, pronounce, read_lexicon
from models.vosk.lookahead import lookahead_fst, read_lookahead
from models.vosk.phones import PhoneSet

ENGLISH = Path(__file__).resolve().parents[2] / "models" / "weights" / "vosk-en"
PLUGINS = ("/usr/lib/x86_64-linux-gnu/fst/22", "/usr/lib/aarch64-linux-gnu/fst/22")
PROPERTIES = (slice(44, 52), slice(113, 121))
"""Where the property bits stand in the two headers of a look-ahead file."""

pronunciations = st.lists(st.sampled_from(PHONES), min_size=1, max_size=5).map(tuple)
lexicons = st.dictionaries(
    st.text("abc", min_size=1, max_size=4),
    st.lists(pronunciations, min_size=1, max_size=3, unique=True).map(tuple),
    min_size=1,
    max_size=12,
)


def tree(lexicon: Lexicon) -> Transducer:
    names = ["<eps>", "[unk]", *sorted(lexicon)]
    numbers = {word: number for number, word in enumerate(names)}
    phones = PhoneSet.read(ENGLISH / "graph" / "phones.txt")
    return WordTree(phones, lexicon, numbers).transducer()


def openfst(graph: Transducer, folder: Path) -> tuple[bytes, dict[int, int]]:
    """The look-ahead file that OpenFst's programs make, and the numbers that words get in it."""
    lines = [
        f"{source} {arc.target} {arc.input} {arc.output} {arc.weight}"
        for source, arcs in enumerate(graph.arcs)
        for arc in arcs
    ]
    lines += [f"{state} {cost}" for state, cost in graph.finals.items()]
    (folder / "text").write_text("\n".join(lines) + "\n")
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(PLUGINS)}
    for command in (
        "fstcompile --keep_state_numbering text plain",
        "fstarcsort --sort_type=olabel plain ordered",
        "fstconvert --fst_type=olabel_lookahead --save_relabel_opairs=pairs ordered lookahead",
    ):
        subprocess.run(command.split(), cwd=folder, env=environment, check=True)
    rows = (line.split() for line in (folder / "pairs").read_text().splitlines())
    return (folder / "lookahead").read_bytes(), {int(old): int(new) for old, new in rows}


def without_properties(data: bytes) -> bytes:
    one, two = PROPERTIES
    return data[: one.start] + data[one.stop : two.start] + data[two.stop :]


@pytest.mark.needs("fstconvert", "libfst-tools and libfst22-plugins-base")
@pytest.mark.parametrize(
    "words",
    [
        ["tea"],
        ["tea", "tee", "read", "red", "reed", "a", "the", "tease", "ease"],
        ["can", "i", "have", "an", "iced", "latte", "with", "either", "neither", "route", "been"],
    ],
)
def test_given_words_then_the_file_is_that_of_openfst(words: list[str], tmp_path: Path) -> None:
    graph = tree(pronounce(words)[0])
    ours, numbers = lookahead_fst(graph)
    theirs, expected = openfst(graph, tmp_path)
    assert without_properties(ours) == without_properties(theirs)
    assert numbers == {old: new for old, new in expected.items() if old in numbers}
    for place in PROPERTIES:
        # Theirs tell more, ours must not contradict.
        told = int.from_bytes(ours[place], "little")
        assert told & int.from_bytes(theirs[place], "little") == told


def test_given_the_shipped_model_then_our_file_is_the_one_that_openfst_made() -> None:
    lexicon, missing = pronounce(read_lexicon(ENGLISH))
    assert missing == ()
    ours, _ = lookahead_fst(tree(lexicon))
    shipped = (ENGLISH / "graph" / "HCLr.fst").read_bytes()
    assert without_properties(ours) == without_properties(shipped)


@given(lexicons)
@settings(max_examples=25, deadline=None)
def test_given_any_lexicon_then_what_is_written_is_read_back(lexicon: Lexicon) -> None:
    graph = tree(lexicon)
    data, numbers = lookahead_fst(graph)
    back, intervals = read_lookahead(data)
    assert back.finals == graph.finals
    for before, after in zip(graph.arcs, back.arcs, strict=True):
        renumbered = [arc._replace(output=numbers.get(arc.output, 0)) for arc in before]
        assert sorted((a.input, a.output, a.target) for a in renumbered) == sorted(
            (a.input, a.output, a.target) for a in after
        )
        assert [arc.output for arc in after] == sorted(arc.output for arc in after)
    for state, found in enumerate(intervals):
        members = {number for first, last in found for number in range(first, last)}
        assert members == next_words(back, state, set())


def next_words(graph: Transducer, state: int, seen: set[int]) -> set[int]:
    """Numbers of the words that can come next, found one by one; the last number is the end."""
    seen.add(state)
    found = set()
    if state in graph.finals:
        outputs = {arc.output for arcs in graph.arcs for arc in arcs}
        found.add(max(outputs) + 1)
    for arc in graph.arcs[state]:
        if arc.output:
            found.add(arc.output)
        elif arc.target not in seen:
            found |= next_words(graph, arc.target, seen)
    return found


def test_given_a_transducer_then_what_is_written_is_read_back() -> None:
    graph = Transducer([[], []], {1: 0.5})
    graph.add_arc(0, 1, 7, 3, 0.25)
    graph.add_arc(1, 0, 0, 0, 2.0)
    data = graph.to_bytes()
    assert read_const(data) == (graph, len(data))


def test_given_a_cycle_without_a_word_then_there_is_no_look_ahead() -> None:
    graph = Transducer([[], []], {1: 0.0})
    graph.add_arc(0, 1, 1)
    graph.add_arc(1, 0, 1)
    with pytest.raises(ModelError, match="a cycle without a word"):
        lookahead_fst(graph)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no FST of the kind"),
        (lookahead_fst(tree({"a": (("AH",),)}))[0][:-3], "it is cut off"),
        (Transducer().to_bytes(), "no FST of the kind"),
    ],
)
def test_given_a_damaged_file_then_the_error_says_so(data: bytes, problem: str) -> None:
    with pytest.raises(ModelError, match=problem):
        read_lookahead(data)
