"""A domain is compiled into a graph for a speech model, with the words that the model lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import soundfile
import soxr
import vosk

from models.catalogue import check_layout
from models.domain import Domain
from models.errors import ModelError
from models.vosk.assemble import Parts, assemble
from models.vosk.compile import CompileReport, compile_domain
from models.vosk.fst import Transducer, read_const
from models.vosk.lexicon import pronounce, read_lexicon
from models.vosk.manifest import read_manifest
from models.vosk.phones import PhoneSet
from models.vosk.recogniser import SpeechModel
from models.vosk.words import read_words

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = ROOT / "models" / "weights" / "vosk-en"
REPLAYS = ROOT / "tests" / "replays"


def paths(folder: Path) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Phones and words of every path through a small graph, pauses and blanks left out."""
    graph, _ = read_const((folder / "HCLG.fst").read_bytes())
    phones = PhoneSet.read(ENGLISH / "graph" / "phones.txt")
    labels = {phones.forward(name): name for name in phones.ids}
    words = {number: word for word, number in read_words(folder / "words.txt").items()}
    yield from set(_walk(graph, labels, words, 0, (), ()))


def _walk(
    graph: Transducer,
    labels: dict[int, str],
    words: dict[int, str],
    state: int,
    said: tuple[str, ...],
    heard: tuple[str, ...],
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    if state in graph.finals:
        yield said, heard
    for arc in graph.arcs[state]:
        name = labels.get(arc.input, "")
        if arc.target != state and not name.startswith("GBG"):
            phones = (*said, name) if name and name != "SIL" else said
            text = (*heard, words[arc.output]) if arc.output else heard
            yield from _walk(graph, labels, words, arc.target, phones, text)


def test_given_sentences_then_the_graph_has_their_phones_and_words_and_no_others(
    tmp_path: Path,
) -> None:
    report = compile_domain(["more tea", "tea", "read tea"], ENGLISH, tmp_path / "tea")
    tea = ("T_B", "IY_E")
    more, red, reed = (("M_B", "AO_I", "R_E"), ("R_B", "EH_I", "D_E"), ("R_B", "IY_I", "D_E"))
    assert set(paths(tmp_path / "tea")) == {
        ((), ()),
        (tea, ("tea",)),
        ((*more, *tea), ("more", "tea")),
        ((*red, *tea), ("read", "tea")),
        ((*reed, *tea), ("read", "tea")),
    }
    assert (report.words, report.new_words) == (3, ())
    assert check_layout(tmp_path / "tea") == "vosk-grammar"


def test_given_new_words_then_the_report_says_how_they_are_spoken_and_why(tmp_path: Path) -> None:
    own = {"tea": (("CH", "AA"),), "zyxel": (("Z", "AY", "S", "AH", "L"),)}
    report = compile_domain(["zyxel tea", "aardvark"], ENGLISH, tmp_path / "new", own)
    assert [(entry.word, entry.ways, entry.origin) for entry in report.new_words] == [
        ("aardvark", (("AA", "R", "D", "V", "AA", "R", "K"),), "dictionary"),
        ("tea", (("CH", "AA"),), "override"),
        ("zyxel", (("Z", "AY", "S", "AH", "L"),), "override"),
    ]
    said = {words: phones for phones, words in paths(tmp_path / "new")}
    assert said["zyxel", "tea"] == ("Z_B", "AY_I", "S_I", "AH_I", "L_E", "CH_B", "AA_E")


def test_given_the_same_input_then_the_same_bytes(tmp_path: Path) -> None:
    domain = Domain.load(ROOT / "configs" / "domains" / "coffee.yaml")
    for name in ("one", "two"):
        compile_domain(domain, ENGLISH, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["HCLG.fst", "model.json", "words.txt"]
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_given_a_compiled_domain_then_its_sentences_are_heard(tmp_path: Path) -> None:
    domain = Domain.load(ROOT / "configs" / "domains" / "coffee.yaml")
    compile_domain(domain, ENGLISH, tmp_path / "coffee")
    folder = assemble(Parts(ENGLISH, tmp_path / "coffee"), tmp_path / "cache")
    assert not (folder / "graph" / "HCLr.fst").exists()
    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(str(folder)), 16_000)
    recording = REPLAYS / "coffee" / "make-me-a-medium-cappuccino.wav"
    samples, rate = soundfile.read(recording, dtype="int16")
    recogniser.AcceptWaveform(soxr.resample(samples, rate, 16_000).tobytes())
    text = json.loads(recogniser.FinalResult())["text"]
    assert text == "make me a medium cappuccino"


def test_given_general_text_and_no_new_word_then_it_is_a_grammar_over_the_models_words(
    tmp_path: Path,
) -> None:
    general = [["tea", "please"], ["no", "tea"]]
    report = compile_domain(["more tea"], ENGLISH, tmp_path / "a", general=general)
    assert sorted(path.name for path in report.folder.iterdir()) == ["Gr.fst", "model.json"]
    assert assemble(Parts(ENGLISH, report.folder), tmp_path / "cache").is_dir()


def test_given_general_text_and_a_new_word_then_every_word_can_be_said(tmp_path: Path) -> None:
    report = compile_domain(
        ["aardvark tea"], ENGLISH, tmp_path / "b", general=[["tea", "please"], ["no", "tea"]]
    )
    assert report.words == len(read_lexicon(ENGLISH)) + 1
    assert {"aardvark", "please", "latte"} <= read_words(tmp_path / "b" / "words.txt").keys()
    assert check_layout(tmp_path / "b") == "vosk-grammar"
    folder = assemble(Parts(ENGLISH, tmp_path / "b"), tmp_path / "cache")
    assert (folder / "graph" / "HCLr.fst").samefile(tmp_path / "b" / "HCLr.fst")
    assert SpeechModel(folder).has_word("aardvark")


def test_given_a_folder_with_a_card_then_it_stays_and_an_old_grammar_goes(tmp_path: Path) -> None:
    out = tmp_path / "tea"
    out.mkdir()
    (out / "README.md").write_text("a card")
    (out / "Gr.fst").write_bytes(b"old")
    compile_domain(["tea"], ENGLISH, out)
    assert sorted(path.name for path in out.iterdir()) == [
        "HCLG.fst",
        "README.md",
        "model.json",
        "words.txt",
    ]
    assert list(tmp_path.iterdir()) == [out]


def test_given_a_failure_then_the_former_grammar_stays(tmp_path: Path) -> None:
    out = tmp_path / "tea"
    compile_domain(["tea"], ENGLISH, out)
    before = (out / "HCLG.fst").read_bytes()
    with pytest.raises(ModelError, match=r'for 7up: .* intentd words set 7up "PHONES"'):
        compile_domain(["more tea", "7up"], ENGLISH, out)
    assert (out / "HCLG.fst").read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("sentences", [[], ["", "  "]])
def test_given_no_sentences_then_the_error_says_so(tmp_path: Path, sentences: list[str]) -> None:
    with pytest.raises(ModelError, match="no sentences to compile"):
        compile_domain(sentences, ENGLISH, tmp_path / "none")


def test_given_a_place_that_cant_be_written_then_the_error_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"file/out can't be written: .*choose another place"):
        compile_domain(["tea"], ENGLISH, tmp_path / "file" / "out")


def test_given_the_model_then_its_lexicon_is_read_from_its_graph() -> None:
    lexicon = read_lexicon(ENGLISH)
    words = read_words(ENGLISH / "graph" / "words.txt")
    assert set(lexicon) == set(words) - {"<eps>", "[unk]"}
    expected, _ = pronounce(lexicon)
    assert {word: set(ways) for word, ways in lexicon.items()} == {
        word: set(ways) for word, ways in expected.items()
    }


def test_given_a_grammar_for_other_phones_then_it_is_refused(tmp_path: Path) -> None:
    report = compile_domain(["tea"], ENGLISH, tmp_path / "tea")
    manifest = read_manifest(report.folder)
    assert manifest is not None
    assert manifest.base_phones is not None
    text = (report.folder / "model.json").read_text()
    (report.folder / "model.json").write_text(text.replace(manifest.base_phones, "0" * 64))
    with pytest.raises(ModelError, match="has other phones: compile it for this model"):
        assemble(Parts(ENGLISH, report.folder), tmp_path / "cache")


def test_given_many_sentences_then_each_is_said_once(tmp_path: Path) -> None:
    some = [" ".join(words) for words in product(("more", "no", "the"), ("tea", "milk"))]
    report: CompileReport = compile_domain(some * 2, ENGLISH, tmp_path / "some")
    assert sorted(" ".join(words) for _, words in paths(report.folder) if words) == sorted(
        sentence for sentence in some for _ in range(2 if sentence.startswith("the") else 1)
    )
