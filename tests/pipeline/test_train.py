"""``intentd train`` and ``intentd try``, as a user calls them, on a robot with three intents."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
import yaml
from command_line import CommandLine

from models.catalogue.trained import Trained
from models.domain import Domain
from models.mobilebert import LanguageModel
from models.vosk.words import read_words
from pipeline.loading import load_configuration

ROBOT = """\
language: en
intents:
  Move:
    data:
      - sentences:
          - "(go|move|drive) {direction} [{distance} (meters|steps)]"
          - "(go|drive) to [the] {place}"
    examples:
      - {text: "drive to the kitchen", slots: {place: kitchen}}
  Grip:
    data: [{sentences: ["(pick up|grab|take) [the] {thing}", "(drop|let go of) [the] {thing}"]}]
  Stop:
    data: [{sentences: ["(stop|halt|freeze) [now]", "stand still"]}]
lists:
  direction: {values: [forward, back, left, right]}
  distance: {range: {from: 1, to: 20}}
  place: {values: [kitchen, door, table, window, shelf, charger, garden]}
  thing: {values: [ball, cup, book, bottle, pen, apple, red box]}
examples:
  - {text: "how do you spell library", intent: null}
"""
SMALL = ("--sentences", "60", "--jobs", "1")


@pytest.fixture
def robot(tmp_path: Path) -> Path:
    path = tmp_path / "robot.yaml"
    path.write_text(ROBOT)
    return path


@pytest.mark.timeout(240)  # about ten seconds of work, many times that on a busy machine
def test_given_a_domain_file_one_command_makes_all_that_a_daemon_needs(
    intentd: CommandLine, robot: Path, tmp_path: Path
) -> None:
    """Killed on the way, it goes on; a changed list needs no new heads."""
    trained = Trained(tmp_path / "robot.trained")

    process = intentd.start("train", str(robot), *SMALL)
    wait_for_chunk(trained.work)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert trained.version is None
    kept = chunks(trained.work)
    assert kept

    done = intentd("train", str(robot), *SMALL, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "examples of the file: 2 of 2" in done.stdout
    assert trained.version == tmp_path / "robot.trained" / "1"
    assert not trained.work.exists()

    configuration = tmp_path / "robot-daemon.yaml"
    configuration.write_text(yaml.safe_dump({"domain": "robot.yaml"}))
    tried = intentd("try", "grab", "the", "red", "box", "-c", str(configuration), "--json")
    event = json.loads(tried.stdout)
    assert event["intent"]["name"] == "Grip"
    assert [(slot["name"], slot["value"]) for slot in event["slots"]] == [("thing", "red box")]
    assert event["models"]["nlu"] == "robot@1"

    robot.write_text(ROBOT.replace("red box", "red box, screwdriver"))
    checked = intentd("check", "-c", str(configuration), "--no-microphone")
    assert "was changed after" in checked.stdout
    shared = tmp_path / "models" / "mobilebert-robot"
    began = time.monotonic()
    changed = intentd("train", str(robot), *SMALL, "--export", str(shared))
    assert changed.returncode == 0, changed.stderr
    assert "understander: unchanged" in changed.stdout
    assert time.monotonic() - began < 20
    settings = load_configuration(str(configuration))
    assert settings.understanders[0].model == str(trained.root / "2")
    assert "screwdriver" in read_words(Path(settings.transcriber.grammar) / "words.txt")
    assert LanguageModel.load(trained.root / "2").id == "robot@2"
    assert LanguageModel.load(shared).id == "mobilebert-robot@1"
    assert not (shared / "model.onnx").exists()

    explained = intentd("try", "pick up the screwdriver", "-c", str(configuration), "--explain")
    assert "(pick up|grab|take) [the] {thing}" in explained.stdout
    assert "robot@2, accepts from" in explained.stdout
    assert "B-thing" in explained.stdout


def wait_for_chunk(work: Path) -> None:
    deadline = time.monotonic() + 50
    while not chunks(work):
        assert time.monotonic() < deadline, "no features in time"
        time.sleep(0.02)


def chunks(work: Path) -> list[Path]:
    return list(work.glob("*/features/*.npz"))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("language: en\n", "intents"),
        (ROBOT.replace("{thing}", "{tool}"), "{tool}"),
        (ROBOT.replace("intent: null", "intent: Sing"), "Sing"),
    ],
)
def test_given_a_broken_file_nothing_is_made(
    intentd: CommandLine, robot: Path, broken: str, told: str
) -> None:
    robot.write_text(broken)

    done = intentd("train", str(robot))

    assert done.returncode == 2
    assert told in done.stderr
    assert "robot.yaml" in done.stderr
    assert "Traceback" not in done.stderr
    assert not robot.with_name("robot.trained").exists()


def test_given_other_ways_to_say_an_intent_that_is_not_there_it_is_named(
    intentd: CommandLine, robot: Path
) -> None:
    other = robot.with_name("robot.paraphrases.yaml")
    other.write_text('language: en\nintents: {Fly: {data: [{sentences: ["up you go"]}]}}\n')

    done = intentd("train", str(robot), *SMALL)

    assert done.returncode == 2
    assert "has no intent Fly" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.yaml"], "nowhere.yaml"),
        (["{robot}", "--base", "mobilebert-nothing"], "mobilebert-nothing"),
        (["{robot}", "--speech-model", "vosk-nothing"], "vosk-nothing"),
        (["{robot}", "--base", "mobilebert-home"], "this is no base"),
        (["{robot}", "--out", "{robot}/in-a-file"], "name another place with --out"),
    ],
)
def test_given_something_that_is_not_there_it_is_named(
    intentd: CommandLine, robot: Path, arguments: list[str], told: str
) -> None:
    done = intentd("train", *(part.format(robot=robot) for part in arguments))

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_given_nothing_trained_the_mend_is_named(intentd: CommandLine, robot: Path) -> None:
    configuration = robot.with_name("c.yaml")
    configuration.write_text(
        yaml.safe_dump({"domain": "robot.yaml", "understanders": [{"model": "trained"}]})
    )

    done = intentd("try", "stop", "-c", str(configuration))

    assert done.returncode == 2
    assert "nothing is trained for the domain" in done.stderr
    assert "intentd train" in done.stderr


def test_given_a_shipped_configuration_try_shows_what_is_meant(intentd: CommandLine) -> None:
    good = intentd("try", "get me a large latte", "-c", "coffee")
    foreign = intentd("try", "what is the capital of france", "-c", "coffee")

    assert (good.returncode, foreign.returncode) == (0, 1)
    assert "orderDrink(size=large, coffeeDrink=latte)" in good.stdout
    assert "not recognized" in foreign.stdout


def test_given_the_shipped_paraphrases_none_of_those_for_tests_is_covered() -> None:
    from models.training.domain.texts import with_other_ways

    root = Path(__file__).resolve().parents[2]
    home = with_other_ways(root / "configs" / "domains" / "home.yaml")
    assert home is not None
    path = root / "tests" / "data" / "home_paraphrases.ndjson"
    for line in path.read_text(encoding="utf-8").splitlines():
        assert home.parse(json.loads(line)["text"]) is None, line
    assert set(home.intents) == set(Domain.load(root / "configs" / "domains" / "home.yaml").intents)
