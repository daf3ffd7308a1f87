"""General n-grams become grammars for free dictation."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from models.vosk.build import cli
from models.vosk.fst import WeightedAcceptor
from models.vosk.lexicon import read_lexicon
from models.vosk.manifest import read_manifest
from models.vosk.ngram_grammar import train_ngram
from models.vosk.recogniser import SpeechModel
from models.vosk.words import read_words

ENGLISH = Path(__file__).resolve().parents[2] / "models" / "weights" / "vosk-en"
WORDS = {"<eps>": 0, "[unk]": 1, "more": 2, "tea": 3, "please": 4, "no": 5}

sentences = st.lists(
    st.lists(st.sampled_from(["more", "tea", "please", "elsewhere"]), max_size=6), max_size=12
)


def cost(grammar: WeightedAcceptor, sentence: list[str]) -> float:
    """Of the sentence, by the longest histories: back-off only where there is no arc."""
    state, total = 0, 0.0
    for word in sentence:
        while True:
            arcs = {arc.label: arc for arc in grammar.arcs[state]}
            arc = arcs.get(WORDS[word]) or arcs[0]
            total, state = total + arc.weight, arc.target
            if arc.label:
                break
    while state not in grammar.finals:
        (arc,) = [arc for arc in grammar.arcs[state] if not arc.label]
        total, state = total + arc.weight, arc.target
    return total + grammar.finals[state]


@given(sentences, st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_given_any_text_then_every_sentence_of_the_words_can_be_said(
    text: list[list[str]], order: int
) -> None:
    grammar = train_ngram([*text, ["more"]], WORDS, {"no": 1e-4}, order)
    for sentence in (["no"], ["no", "tea", "no"], ["please", "more", "tea", "please"]):
        assert 0 < cost(grammar, sentence) < 100
    for arcs in grammar.arcs:
        assert len({arc.label for arc in arcs}) == len(arcs)


def test_given_text_then_what_is_common_costs_less() -> None:
    text = [["more", "tea", "please"]] * 5 + [["more", "please"], ["tea", "please"]]
    grammar = train_ngram(text, WORDS, {"no": 1e-3})
    assert cost(grammar, ["more", "tea", "please"]) < cost(grammar, ["tea", "more", "please"])
    assert math.exp(-cost(grammar, ["more", "tea", "please"])) > 0.2


def test_given_two_words_without_text_then_the_commoner_costs_less() -> None:
    grammar = train_ngram([["more", "tea"]], WORDS, {"no": 1e-3, "please": 1e-5})
    assert cost(grammar, ["no"]) < cost(grammar, ["please"])


def test_given_an_unknown_word_then_the_text_is_cut_there() -> None:
    one = train_ngram([["more", "tea", "elsewhere", "please"]], WORDS, {})
    two = train_ngram([["more", "tea"], ["please"]], WORDS, {})
    assert (one.arcs, one.finals) == (two.arcs, two.finals)


def test_given_a_text_and_a_size_then_a_model_with_so_many_words_is_built(tmp_path: Path) -> None:
    pytest.importorskip("wordfreq", reason="needs wordfreq: pip install wordfreq")
    starter = shutil.copytree(ENGLISH, tmp_path / "starter")
    (starter / "graph" / "words.txt").write_text("<eps> 0\n[unk] 1\nlatte 2\n")
    (tmp_path / "text").write_text("A latte, please!\nthe aardvark\n")
    arguments = ["model", "--starter", str(starter), "--text", str(tmp_path / "text")]
    arguments += ["--words", "300", "--name", "tiny", "--into", str(tmp_path / "tiny")]
    arguments += ["--acoustic-scale", "0.8"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    words = read_words(tmp_path / "tiny" / "graph" / "words.txt")
    assert len(words) == 302
    assert {"latte", "the", "yes", "twenty"} <= words.keys()
    assert set(read_lexicon(tmp_path / "tiny")) == words.keys() - {"<eps>", "[unk]"}
    manifest = read_manifest(tmp_path / "tiny")
    assert manifest is not None
    assert manifest.id == "tiny@1"
    assert SpeechModel(tmp_path / "tiny").has_word("latte")
    options = (tmp_path / "tiny" / "conf" / "model.conf").read_text().split()
    assert {"--acoustic-scale=0.8", "--beam=9.0"} <= set(options)
