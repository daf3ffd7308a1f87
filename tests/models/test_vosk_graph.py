"""Graphs and grammars of speech models, checked against OpenFst's own tools."""

from __future__ import annotations

import math
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from models.domain import Domain
from models.errors import ModelError
from models.vosk.bigram import train_bigram
from models.vosk.fst import WeightedAcceptor, WeightedArc
from models.vosk.grammar import (
    BRANCHING_WEIGHT,
    EMPTY_COST,
    list_acceptor,
    strict_grammar,
)
from models.vosk.graph import build_graph
from models.vosk.lexicon import pronounce, read_lexicon
from models.vosk.phones import PhoneSet
from models.vosk.words import missing_words, read_words

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = ROOT / "models" / "weights" / "vosk-en" / "graph"

needs_openfst = pytest.mark.needs("fstinfo", "libfst-tools")


@pytest.fixture(scope="module")
def words() -> dict[str, int]:
    return read_words(ENGLISH / "words.txt")


def domain(name: str) -> Domain:
    return Domain.load(ROOT / "configs" / "domains" / f"{name}.yaml")


def run(*command: str | Path) -> str:
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    return result.stdout


def as_text(path: Path) -> set[tuple[str, ...]]:
    return {tuple(line.split()) for line in run("fstprint", "--acceptor", path).splitlines()}


@needs_openfst
def test_given_an_acceptor_then_openfst_reads_the_same_states_arcs_and_costs(
    tmp_path: Path,
) -> None:
    acceptor = WeightedAcceptor()
    second = acceptor.add_state()
    acceptor.arcs[0] = [WeightedArc(7, 0.5, second), WeightedArc(0, 2.0, second)]
    acceptor.arcs[second] = [WeightedArc(3, 0.0, second)]
    acceptor.finals = {0: 1.5, second: 0.0}
    acceptor.write(tmp_path / "plain.fst")
    assert as_text(tmp_path / "plain.fst") == {
        ("0", "1", "0", "2"),
        ("0", "1", "7", "0.5"),
        ("1", "1", "3"),
        ("0", "1.5"),
        ("1",),
    }


@needs_openfst
def test_given_an_acceptor_then_its_bytes_are_those_of_openfst(tmp_path: Path) -> None:
    acceptor = WeightedAcceptor()
    acceptor.arcs[0] = [WeightedArc(1, 0.25, acceptor.add_state())]
    acceptor.finals = {1: 0.0}
    acceptor.write(tmp_path / "ours.fst")
    (tmp_path / "text").write_text("0 1 1 1 0.25\n1 0\n")
    run("fstcompile", "--fst_type=const", tmp_path / "text", tmp_path / "theirs.fst")
    ours = (tmp_path / "ours.fst").read_bytes()
    theirs = (tmp_path / "theirs.fst").read_bytes()
    # Bytes 33 to 40 are the property bits: theirs tell more, ours must not contradict.
    properties = slice(33, 41)
    assert ours[:33] + ours[41:] == theirs[:33] + theirs[41:]
    told = int.from_bytes(ours[properties], "little")
    assert told & int.from_bytes(theirs[properties], "little") == told


@needs_openfst
@pytest.mark.parametrize("name", ["coffee", "home"])
def test_given_a_domain_then_the_grammar_is_as_small_as_openfst_makes_it(
    name: str, words: dict[str, int], tmp_path: Path
) -> None:
    loaded = domain(name)
    raw = loaded.acceptor()
    lines = [f"{arc.source} {arc.target} {words[arc.word]} {words[arc.word]}" for arc in raw.arcs]
    lines += [str(state) for state in raw.finals]
    lines.sort(key=lambda line: line.split()[0] != "0")
    (tmp_path / "text").write_text("\n".join(lines) + "\n")
    steps = ["compile", "rmepsilon", "determinize", "minimize"]
    for before, step in pairwise(["text", *steps]):
        run(f"fst{step}", tmp_path / before, tmp_path / step)
    smallest = loaded.acceptor().minimized()
    info = dict(
        line.rsplit(maxsplit=1)
        for line in run("fstinfo", tmp_path / "minimize").splitlines()
        if line.startswith("# of")
    )
    assert int(info["# of states"]) == smallest.states
    assert int(info["# of arcs"]) == len(smallest.arcs)
    ours = WeightedAcceptor([[] for _ in range(smallest.states)])
    for arc in smallest.arcs:
        ours.arcs[arc.source].append(WeightedArc(words[arc.word], 0.0, arc.target))
    ours.finals = dict.fromkeys(smallest.finals, 0.0)
    ours.write(tmp_path / "ours.fst")
    run("fstconvert", "--fst_type=vector", tmp_path / "ours.fst", tmp_path / "vector.fst")
    # Exits with 2, so raises, if they accept different sentences.
    run("fstequivalent", tmp_path / "vector.fst", tmp_path / "minimize")


def test_given_a_grammar_then_silence_and_foreign_speech_have_a_path(words: dict[str, int]) -> None:
    grammar = strict_grammar(domain("coffee").acceptor().minimized(), words, unknown_cost=1.5)
    unknown = [arc for arc in grammar.arcs[0] if arc.label == words["[unk]"]]
    assert grammar.finals[0] == EMPTY_COST
    assert [arc.weight for arc in unknown] == [1.5]
    assert unknown[0].target in grammar.finals
    assert grammar.arcs[unknown[0].target] == []


def test_given_choices_then_all_ways_are_equally_likely() -> None:
    sentences = list_acceptor([["milk"], ["a", "lot"], ["a", "bit"], ["a", "bit", "more"]])
    numbers = {word: n for n, word in enumerate(("<eps>", "milk", "a", "lot", "bit", "more"))}
    grammar = strict_grammar(sentences, numbers)

    def cost(text: str) -> float:
        state, total = 0, 0.0
        for word in text.split():
            [arc] = [arc for arc in grammar.arcs[state] if arc.label == numbers[word]]
            state, total = arc.target, total + arc.weight
        return total + grammar.finals[state]

    two = BRANCHING_WEIGHT * math.log(2)
    found = {text: cost(text) for text in ("milk", "a lot", "a bit", "a bit more")}
    assert found == pytest.approx(
        {"milk": two, "a lot": 2 * two, "a bit": 3 * two, "a bit more": 3 * two}
    )


def test_given_a_model_then_missing_words_are_listed(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("<eps> 0\ntea 1\n")
    assert missing_words(["tea", "latte", "cup"], tmp_path / "words.txt") == ("cup", "latte")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("<eps> 0\ntea\n", "line 2: must be a word and its number"),
        ("<eps> 0\ntea one\n", "line 2: must be a word and its number"),
        ("tea 1\n", "the word <eps> with number 0 is missing"),
    ],
)
def test_given_a_damaged_word_list_then_the_error_says_where(
    tmp_path: Path, content: str, problem: str
) -> None:
    (tmp_path / "words.txt").write_text(content)
    with pytest.raises(ModelError, match=problem):
        read_words(tmp_path / "words.txt")


def test_given_sentences_then_the_bigram_is_a_distribution_in_every_state() -> None:
    words = {"<eps>": 0, "[unk]": 1, "tea": 2, "please": 3, "milk": 4}
    grammar = train_bigram([["tea", "please"], ["tea", "tea"], ["lost", "milk"]], words)
    back_off = next(arc.target for arc in grammar.arcs[0] if arc.label == 0)

    def total(state: int) -> float:
        costs = [arc.weight for arc in grammar.arcs[state] if arc.label]
        costs += [grammar.finals[state]] if state in grammar.finals else []
        return sum(math.exp(-cost) for cost in costs)

    assert math.isclose(total(back_off), 1.0)
    for state, arcs in enumerate(grammar.arcs):
        if state != back_off:
            (left,) = [math.exp(-arc.weight) for arc in arcs if arc.label == 0]
            seen = {arc.label for arc in arcs if arc.label}
            shadowed = sum(
                math.exp(-arc.weight) for arc in grammar.arcs[back_off] if arc.label in seen
            )
            shadowed += math.exp(-grammar.finals[back_off]) if state in grammar.finals else 0.0
            # What back-off gives to seen words is already inside their own probability.
            assert math.isclose(total(state) + left * (1 - shadowed), 1.0)


def test_given_a_lexicon_then_a_graph_is_built_whose_word_numbers_fit(tmp_path: Path) -> None:
    phones = PhoneSet.read(ENGLISH / "phones.txt")
    lexicon, missing = pronounce(["a", "latte", "unpause", "xyzzyx"])
    assert missing == ("xyzzyx",)
    assert lexicon["unpause"] == (("AH", "N", "P", "AO", "Z"),)
    words = build_graph(tmp_path / "graph", phones, lexicon)
    assert read_words(tmp_path / "graph" / "words.txt") == words
    assert set(words) == {"<eps>", "[unk]", "a", "latte", "unpause"}
    assert PhoneSet.read(tmp_path / "graph" / "phones.txt") == phones
    assert read_lexicon(tmp_path) == lexicon
