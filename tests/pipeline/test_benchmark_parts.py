"""What the benchmarks against peers are made of, as far as it needs no peer."""

from __future__ import annotations

import json
import re
from functools import cache
from math import prod
from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmarks.documents import share, table, write_part
from benchmarks.peers.datasets import Text, hwu64, snips
from benchmarks.peers.environments import reason
from benchmarks.peers.jsgf import jsgf
from benchmarks.plots import bars, lines

from models.domain import Domain
from models.domain.acceptor import Acceptor
from pipeline.loading import find_domain


def sentences(grammar: str, rule: str) -> list[str]:
    """Everything that a rule of a JSGF grammar generates, once for each way to generate it."""
    bodies = dict(re.findall(r"^(?:public )?(<\w+>) = (.*) ;$", grammar, re.MULTILINE))

    def alternatives(tokens: list[str]) -> list[str]:
        found = sequence(tokens)
        while tokens[:1] == ["|"]:
            tokens.pop(0)
            found += sequence(tokens)
        return found

    def sequence(tokens: list[str]) -> list[str]:
        found = [""]
        while tokens and tokens[0] not in ("|", ")", "]"):
            token = tokens.pop(0)
            ways = [token]
            if token in ("(", "["):
                ways = alternatives(tokens) + ([""] if token == "[" else [])
                tokens.pop(0)
            elif token in bodies:
                ways = alternatives(bodies[token].split())
            found = [f"{one} {two}".strip() for one in found for two in ways]
        return found

    return alternatives([rule])


def test_given_a_domain_then_jsgf_generates_each_of_its_sentences_once(tmp_path: Path) -> None:
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
    assert {example.text for example in domain.sample(3000, seed=1)} == set(found)
    assert len(found) == len(set(found))


def test_given_the_coffee_domain_then_its_jsgf_has_one_way_to_each_sentence() -> None:
    domain = Domain.load(find_domain("coffee"))
    grammar = jsgf(domain)
    assert grammar.startswith("#JSGF V1.0;")
    match = re.search(r"<sentence> = (.*) ;", grammar)
    assert match
    parts = [sentences(grammar, rule) for rule in match[1].split()]
    acceptor = domain.acceptor().minimized()
    assert prod(map(len, parts)) == count(acceptor)
    shown = [" ".join(part[n % len(part)] for part in parts).split() for n in range(200)]
    assert all(acceptor.accepts(words) for words in shown)


def count(acceptor: Acceptor) -> int:
    """How many sentences a deterministic acceptor has."""

    @cache
    def behind(state: int) -> int:
        steps = (behind(arc.target) for arc in acceptor.arcs if arc.source == state)
        return (state in acceptor.finals) + sum(steps)

    return behind(0)


JAZZ = {"text": "Latin Jazz", "entity": "genre"}


def test_given_published_folders_then_texts_with_intent_and_slots(tmp_path: Path) -> None:
    folder = tmp_path / "snips" / "PlayMusic"
    folder.mkdir(parents=True)
    (folder / "train_PlayMusic.json").write_text('{"PlayMusic": []}')
    (folder / "train_PlayMusic_full.json").write_text(
        json.dumps({"PlayMusic": [{"data": [{"text": "Play "}, JAZZ]}] * 101})
    )
    (folder / "validate_PlayMusic.json").write_text(
        json.dumps({"PlayMusic": [{"data": [{"text": "rock, "}, JAZZ, {"text": "!"}]}]})
    )
    found = snips(tmp_path / "snips")
    assert len(found.train) == 101
    assert set(found.train) == {
        Text(text="play latin jazz", intent="PlayMusic", slots=(("genre", 5, 15),))
    }
    assert found.test == (
        Text(text="rock latin jazz", intent="PlayMusic", slots=(("genre", 5, 15),)),
    )
    heading = "answerid;scenario;intent;answer_annotation\n"
    for part in ("trainset", "testset/csv"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "alarm_set.csv").write_text(heading + "1;alarm;set;Wake [who : me]\n")
    assert hwu64(tmp_path).test == (
        Text(text="wake me", intent="alarm_set", slots=(("who", 5, 7),)),
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            "error: subprocess-exited-with-error\n │ Exception: Couldn't find FANN source libs!\n"
            "note: This error originates from a subprocess, and is likely not a problem with pip.",
            "Exception: Couldn't find FANN source libs!",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement rasa>=3 (from versions:"
            " 0.0.1, 0.0.2)\nERROR: No matching distribution found for rasa>=3",
            "ERROR: Could not find a version that satisfies the requirement rasa>=3",
        ),
    ],
)
def test_given_what_pip_complains_then_the_line_that_says_why(told: str, said: str) -> None:
    assert reason(told) == said


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
    svg = bars(
        "a < b", ["intents", "sentences"], {"ours": [0.5, 0.9], "theirs & more": [0.7, None]}
    )
    assert len(list(ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect"))) == 3
