"""What the benchmarks against peers are made of, as far as it needs no peer."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.documents import share, table, write_part
from benchmarks.peers.datasets import hwu64, snips
from benchmarks.peers.jsgf import jsgf
from benchmarks.plots import lines

from models.domain import Domain
from pipeline.loading import find_domain


def sentences(grammar: str, rule: str) -> set[str]:
    """Everything that a rule of a JSGF grammar generates; for small grammars."""
    bodies = dict(re.findall(r"^(?:public )?(<\w+>) = (.*?) ?;$", grammar, re.MULTILINE))

    def expand(text: str) -> set[str]:
        text = text.strip()
        if text.startswith("[") and text.endswith("]"):
            return {"", *expand(text[1:-1])}
        if text.startswith("(") and text.endswith(")"):
            return expand(text[1:-1])
        if " | " in text:
            return {found for part in text.split(" | ") for found in expand(part)}
        found = {""}
        for token in text.split():
            ways = expand(bodies[token]) if token in bodies else {token}
            found = {" ".join(f"{a} {b}".split()) for a in found for b in ways}
        return found

    return expand(bodies[rule])


def test_given_a_domain_then_jsgf_generates_exactly_its_sentences(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(
        "language: en\n"
        "intents:\n"
        "  Turn: {data: [{sentences: ['turn [the] {what} (up|down) [now]']}]}\n"
        "  Mix: {data: [{sentences: ['mix ([warm];[cold];{what})']}]}\n"
        "lists:\n"
        "  what: {values: [light, 'red (lamp|fan)']}\n"
    )
    domain = Domain.load(path)
    found = sentences(jsgf(domain), "<sentence>")
    acceptor = domain.acceptor()
    assert all(acceptor.accepts(sentence.split()) for sentence in found)
    assert {example.text for example in domain.sample(3000, seed=1)} == found


def test_given_the_coffee_domain_then_its_jsgf_is_small() -> None:
    grammar = jsgf(Domain.load(find_domain("coffee")))
    assert grammar.startswith("#JSGF V1.0;")
    assert len(grammar) < 20_000


def test_given_published_folders_then_texts_and_intents(tmp_path: Path) -> None:
    folder = tmp_path / "snips" / "PlayMusic"
    folder.mkdir(parents=True)
    rows = '{"PlayMusic": [{"data": [{"text": "Play "}, {"text": "jazz", "entity": "genre"}]}]}'
    (folder / "train_PlayMusic_full.json").write_text(rows)
    (folder / "train_PlayMusic.json").write_text('{"PlayMusic": []}')
    (folder / "validate_PlayMusic.json").write_text(rows.replace("jazz", "rock"))
    found = snips(tmp_path / "snips")
    assert found.train == (("play jazz", "PlayMusic"),)
    assert found.test == (("play rock", "PlayMusic"),)
    heading = "answerid;scenario;intent;answer_from_anno\n"
    for part in ("trainset", "testset/csv"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "alarm_set.csv").write_text(heading + "1;alarm;set;Wake me\n")
    assert hwu64(tmp_path).test == (("wake me", "alarm_set"),)


def test_given_results_then_documents_are_changed_between_their_marks_only(
    tmp_path: Path,
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Before\n")
    write_part("peers", "first", page)
    page.write_text(page.read_text() + "\nafter\n")
    write_part("peers", table(["a", "b"], [["x", share(0.5)]]), page)
    text = page.read_text()
    assert "first" not in text
    assert text.startswith("# Before\n")
    assert text.endswith("\nafter\n")
    assert "| a | b |\n| --- | ---: |\n| x | 50.0 |" in text
    svg = lines("a < b", ["6 dB", "9 dB"], {"ours": [0.5, 0.9], "theirs": [None, 0.7]})
    assert len(list(ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}circle"))) == 3
