"""Golden replays: given these recordings, these events, through the whole chain."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command_line import CommandLine

from pipeline.client import Subscriber
from pipeline.events import IntentEvent

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).resolve().parents[1] / "replays"
CHANGING = {"id", "published", "timings_ms", "seq"}
"""Keys that differ between two runs."""

LATTE = "coffee/can-i-have-a-double-shot-latte-with-almond-milk.mp3"
ESPRESSO = "coffee/get-me-a-small-dark-roast-espresso.flac"


def events_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Each line of standard output is one JSON object and nothing else is there."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def stable(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without what differs from run to run: ids, times of day and durations."""
    return [{key: value for key, value in e.items() if key not in CHANGING} for e in events]


def timeless(events: list[dict[str, Any]]) -> str:
    """The bytes of the events without any times."""
    plain = stable(events)
    for event in plain:
        event.pop("source")
        event.pop("speech")
        for word in event["words"]:
            del word["start"], word["end"]
    return json.dumps(plain, sort_keys=True)


@pytest.mark.parametrize("domain", ["coffee", "home", "dictation"])
def test_the_shipped_recordings_give_the_golden_events(
    intentd: CommandLine, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    done = intentd("replay", f"tests/replays/{domain}", "-c", domain, "--format", "json")
    events = events_of(done)
    schema = json.loads((ROOT / "pipeline/schemas/event.schema.json").read_text())
    for event in events:
        jsonschema.Draft202012Validator(schema).validate(event)
    lines = (GOLDEN / domain / "golden.ndjson").read_text().splitlines()
    golden = [json.loads(line) for line in lines]
    assert len(events) == len(golden)
    for event, expected in zip(stable(events), golden, strict=True):
        compare(event, expected, f"{event['file']}: ")


def compare(got: Any, expected: Any, where: str) -> None:
    """Equal, but for confidences within 0.05 and times within 0.06 s."""
    if isinstance(expected, dict):
        assert got.keys() == expected.keys(), where
        for key in expected:
            compare(got[key], expected[key], f"{where}{key} ")
    elif isinstance(expected, list):
        assert len(got) == len(expected), where
        for one, other in zip(got, expected, strict=True):
            compare(one, other, where)
    elif isinstance(expected, float):
        tolerance = 0.05 if "confidence" in where else 0.06
        assert got == pytest.approx(expected, abs=tolerance), where
    else:
        assert got == expected, where


def test_two_replays_give_the_same_bytes_but_for_times_and_ids(
    intentd: CommandLine, recordings: Path
) -> None:
    files = [str(recordings / LATTE), str(recordings / ESPRESSO)]
    first, second = (
        timeless(events_of(intentd("replay", *files, "-c", "coffee", "--format", "json")))
        for _ in range(2)
    )
    assert first == second


def test_threads_and_processes_and_several_jobs_give_the_same_events(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    threads = tmp_path / "threads.yaml"
    threads.write_text((ROOT / "configs/coffee.yaml").read_text().replace(": process", ": thread"))
    files = [str(path) for path in sorted((recordings / "coffee").glob("*.ogg"))]
    runs = [
        timeless(events_of(intentd("replay", *files, "-c", where, "--format", "json", *more)))
        for where, more in (
            ("coffee", []), (str(threads), []), ("coffee", ["--jobs", "2"]),
            (str(threads), ["--jobs", "3"]),
        )
    ]  # fmt: skip
    assert runs[1:] == runs[:1] * 3
    assert json.loads(runs[0])


def test_text_output_is_one_line_a_recording_in_the_order_given(
    intentd: CommandLine, recordings: Path
) -> None:
    files = [str(recordings / LATTE), str(recordings / ESPRESSO)]
    done = intentd("replay", *files, "-c", "coffee")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == files
    assert lines[0].startswith(
        f'{files[0]}  "can i have a double shot latte with almond milk" → '
        "orderDrink(numberOfShots=double shot, coffeeDrink=latte, milkAmount=almond milk)  "
    )
    assert 0.6 < float(lines[0].rsplit("  ", 1)[1]) <= 1


def test_raw_audio_on_standard_input(intentd: CommandLine, recordings: Path) -> None:
    import soundfile
    import soxr

    samples, rate = soundfile.read(recordings / ESPRESSO, dtype="float32", always_2d=True)
    pcm = (soxr.resample(samples.mean(axis=1), rate, 16_000) * 32767).astype("<i2").tobytes()
    done = intentd("replay", "-", "-c", "coffee", "--format", "json", stdin=pcm)
    [event] = events_of(done)
    assert event["text"] == "get me a small dark roast espresso"
    assert event["file"] == "-"


def test_real_pace_takes_as_long_as_the_recording(intentd: CommandLine, recordings: Path) -> None:
    import soundfile

    path = recordings / ESPRESSO
    begun = time.monotonic()
    done = intentd("replay", str(path), "-c", "coffee", "--pace", "real")
    assert done.returncode == 0
    assert time.monotonic() - begun > soundfile.info(path).duration
    assert "orderDrink" in done.stdout


def test_an_app_under_test_subscribes_before_the_first_recording(
    intentd: CommandLine, recordings: Path, runtime_dir: Path
) -> None:
    endpoint = f"ipc://{runtime_dir}/app"
    process = intentd.start(
        "replay", str(recordings / LATTE), str(recordings / ESPRESSO), "-c", "coffee",
        "--publish", endpoint, "--wait-subscribers", "2",
    )  # fmt: skip
    with (
        Subscriber("intent/", endpoint=endpoint, timeout=20) as one,
        Subscriber("intent/", endpoint=endpoint, timeout=20) as other,
    ):
        for subscriber in (one, other):
            texts = [
                event.text
                for event in itertools.islice(subscriber, 2)
                if isinstance(event, IntentEvent)
            ]
            assert len(texts) == 2
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert output.count("orderDrink") == 2


def test_n_best_gives_texts_and_no_word_confidence(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    configuration = tmp_path / "nbest.yaml"
    text = (ROOT / "configs/coffee.yaml").read_text()
    configuration.write_text(text.replace("transcriber:\n", "transcriber:\n  nbest: 3\n"))
    [event] = events_of(
        intentd("replay", str(recordings / LATTE), "-c", str(configuration), "--format", "json")
    )
    assert event["transcripts"][0] == event["text"]
    assert 1 <= len(event["transcripts"]) <= 3
    assert {word["confidence"] for word in event["words"]} == {None}


def test_ctrl_c_ends_a_replay_in_order(
    intentd: CommandLine, recordings: Path, runtime_dir: Path
) -> None:
    endpoint = f"ipc://{runtime_dir}/app"
    process = intentd.start(
        "replay", str(recordings / "coffee"), "-c", "coffee", "--pace", "real",
        "--publish", endpoint,
    )  # fmt: skip
    with Subscriber(endpoint=endpoint, timeout=20) as subscriber:
        assert next(iter(subscriber), None) is not None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors
    assert list(runtime_dir.iterdir()) == [], "the private sockets are gone"


def test_a_slow_reader_of_the_output_loses_nothing(intentd: CommandLine, recordings: Path) -> None:
    files = [str(recordings / LATTE), str(recordings / ESPRESSO)] * 20
    process = intentd.start("replay", *files, "-c", "coffee", "--format", "json")
    time.sleep(15)
    output, errors = process.communicate(timeout=40)
    assert process.returncode == 0, errors
    assert len(output.splitlines()) == len(files)


def test_an_interrupted_replay_says_so_by_its_exit_code(
    intentd: CommandLine, recordings: Path
) -> None:
    process = intentd.start("replay", str(recordings / "coffee"), "-c", "coffee", "--pace", "real")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM, errors
    assert "nothing heard" not in output


def test_the_same_recording_twice_is_two_recordings(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    file = str(recordings / ESPRESSO)
    expect = write_expectations(tmp_path / "e.ndjson", {"audio": file, "intent": "orderDrink"})
    done = intentd("replay", file, file, file, "-c", "coffee", "--expect", expect)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("orderDrink") == 3
    assert "nothing heard" not in done.stdout
    assert done.stderr == "3 of 3 recordings as expected\n"


# ---------------------------------------------------------------- expectations


def write_expectations(path: Path, *lines: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_what_differs_from_the_expectation_is_printed_and_exits_with_1(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    espresso, latte = recordings / ESPRESSO, recordings / LATTE
    expect = write_expectations(
        tmp_path / "expect.ndjson",
        {"audio": str(espresso), "intent": "orderDrink", "slots": {"size": " Small "}},
        {"audio": str(latte), "intent": None},
    )
    done = intentd("replay", str(espresso), str(latte), "-c", "coffee", "--expect", expect)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{espresso}: slot roast: not expected, got dark roast",
        f"{espresso}: slot coffeeDrink: not expected, got espresso",
        f"{latte}: intent: expected a rejection, got orderDrink",
        "0 of 2 recordings as expected",
    ]


def test_expectations_beside_the_recordings(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    shutil.copy(recordings / ESPRESSO, tmp_path / "x.flac")
    (tmp_path / "x.json").write_text(
        json.dumps({"intent": "orderDrink", "text": "get me a small DARK roast espresso"})
    )
    done = intentd("replay", str(tmp_path / "x.flac"), "-c", "coffee", "--expect")
    assert (done.returncode, done.stderr) == (0, "1 of 1 recordings as expected\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"audio": "x.flac", "intent": 5}', "expect.ndjson:1: Expected `str | null`"),
        ('\n{"audio": "x.flac"}', "expect.ndjson:2: Object missing required field `intent`"),
        ('{"intent": null}', "expect.ndjson:1: key audio is missing"),
        ("nonsense", "expect.ndjson:1: JSON is malformed"),
        ('{"audio": "x.flac", "intent": null, "txt": "a"}', "unknown field `txt`"),
        ('{"audio": "other.flac", "intent": null}', "has no line for"),
    ],
)
def test_a_malformed_expectation_is_named_before_anything_runs(
    intentd: CommandLine, recordings: Path, tmp_path: Path, content: str, message: str
) -> None:
    shutil.copy(recordings / ESPRESSO, tmp_path / "x.flac")
    (tmp_path / "expect.ndjson").write_text(content)
    done = intentd(
        "replay", str(tmp_path / "x.flac"), "-c", "coffee",
        "--expect", str(tmp_path / "expect.ndjson"),
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


if __name__ == "__main__":
    # Makes the golden files anew: PYTHONPATH=tests python tests/pipeline/test_replay.py
    for name in ("coffee", "home", "dictation"):
        made = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "replay", f"tests/replays/{name}", "-c", name,
             "--format", "json"],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        with (GOLDEN / name / "golden.ndjson").open("w") as target:
            for event in stable([json.loads(line) for line in made.stdout.splitlines()]):
                target.write(json.dumps(event, ensure_ascii=False) + "\n")
