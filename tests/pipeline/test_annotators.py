"""Annotators in a daemon's chain, and questions without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine

from pipeline.loading import parse_configuration
from pipeline.plan import make_plan

MODELS = Path(__file__).resolve().parents[1] / "data" / "models"
SNIPS = MODELS / "mobilebert-snips"
RULES = "The pool is closed on Sundays. On all other days it opens at nine."


@pytest.fixture
def answering(tmp_path: Path) -> Path:
    """A folder with a model that points at the word nine, and house rules."""
    folder = tmp_path / "pointer"
    folder.mkdir()
    for name in ("model.onnx", "labels.json"):
        (folder / name).symlink_to(MODELS / "pointer" / name)
    (folder / "tokenizer.json").symlink_to(SNIPS / "tokenizer.json")
    (tmp_path / "rules.txt").write_text(RULES)
    return tmp_path


def test_annotators_stand_behind_the_understanders(tmp_path: Path) -> None:
    text = (
        "understanders: [{model: a}]\n"
        "annotators: [{type: topics, model: t}, {type: answer, model: q, documents: [d.txt]}]\n"
    )
    configuration = parse_configuration(text, tmp_path / "c.yaml")

    ways = {spec.name: spec.outlets for spec in make_plan(configuration, "x")}

    assert ways["transcriber-0"] == ("understander-0",)
    assert ways["understander-0"] == ("annotator-0",)
    assert ways["annotator-0"] == ("annotator-1",)
    assert ways["annotator-1"] == ("publisher",)
    assert configuration.annotators[1].documents == (str(tmp_path / "d.txt"),)  # type: ignore[union-attr]


def test_a_daemon_publishes_topics_entities_and_answers(
    intentd: CommandLine, configure: Callable[..., Path], answering: Path
) -> None:
    annotators = [
        {"type": "topics", "model": str(SNIPS)},
        {"type": "entities", "model": str(SNIPS), "threshold": 0.3},
        {
            "type": "answer",
            "model": str(answering / "pointer"),
            "documents": [str(answering / "rules.txt")],
        },
    ]
    intentd.start_daemon(configure(understanders=[], annotators=annotators))

    said = intentd("say", "--json", "will it rain in london tomorrow")

    assert said.returncode == 0, said.stderr
    event = json.loads(said.stdout)
    assert [topic["name"] for topic in event["topics"]] == ["GetWeather"]
    assert "london" in [entity["value"] for entity in event["entities"]]
    assert event["answer"]["text"] == "nine"


def test_a_reload_tries_out_annotators_and_sees_that_a_document_has_changed(
    intentd: CommandLine, configure: Callable[..., Path], answering: Path
) -> None:
    rules = answering / "rules.txt"
    model = str(answering / "pointer")
    section = {"type": "answer", "model": model, "documents": [str(rules)]}
    path = configure(understanders=[], annotators=[section])
    daemon = intentd.start_daemon(path)

    path.write_text(path.read_text().replace(model, "no-such-model"))
    broken = intentd("reload")
    path.write_text(path.read_text().replace("no-such-model", model))
    rules.write_text(RULES.replace("all other days", "weekdays"))
    renewed = intentd("reload")
    said = intentd("say", "--json", "will it rain in london tomorrow")

    assert broken.returncode != 0
    assert "no-such-model" in broken.stderr
    assert daemon.poll() is None
    assert (renewed.returncode, renewed.stderr) == (0, "")
    assert "annotator-0" in renewed.stdout
    assert "weekdays" in json.loads(said.stdout)["answer"]["context"]


def test_ask_answers_from_a_document(intentd: CommandLine, answering: Path) -> None:
    options = ("--docs", str(answering / "rules.txt"), "--model", str(answering / "pointer"))

    asked = intentd("ask", *options, "when does the pool open?")
    surer = intentd("ask", *options, "--threshold", "50", "--json", "when does the pool open?")

    assert (asked.returncode, asked.stdout) == (0, "nine\n")
    assert (surer.returncode, surer.stdout) == (1, "null\n")


def test_ask_without_a_model_says_how_to_make_one(intentd: CommandLine, answering: Path) -> None:
    asked = intentd("ask", "--docs", str(answering / "rules.txt"), "--model", "none", "when?")

    assert asked.returncode == 2
    assert "intentd train-language" in asked.stderr
