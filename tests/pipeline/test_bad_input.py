"""What bad input gets: one line that names the thing and the mend, exit code 2, no traceback."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine

Configure = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "weights"
GOOD = "coffee/get-me-a-small-dark-roast-espresso.flac"


def assert_refused(done: object, *words: str) -> None:
    """Exit code 2 and one line on standard error that has all these words."""
    assert done.returncode == 2, done.stderr  # type: ignore[attr-defined]
    errors: str = done.stderr  # type: ignore[attr-defined]
    assert "Traceback" not in errors
    assert errors.count("\n") == 1, errors
    assert errors.startswith("intentd: error: ")
    for word in words:
        assert word in errors


def wav_header(*, channels: int = 1, rate: int = 16_000, size: int = 3200) -> bytes:
    form = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, channels, rate,
        rate * channels * 2, channels * 2, 16,
    )  # fmt: skip
    return form + struct.pack("<4sI", b"data", size)


BAD_RECORDINGS = {
    "missing.wav": None,
    "empty.wav": b"",
    "truncated.wav": wav_header(size=320_000) + bytes(3200),
    "text.wav": b"this is no sound at all, it is a text\n" * 50,
    "no-channels.wav": wav_header(channels=0) + bytes(3200),
    "no-rate.wav": wav_header(rate=0) + bytes(3200),
    "no-samples.wav": wav_header(size=0),
    "text.flac": b"fLaC" + b"\xff" * 200,
}


@pytest.mark.parametrize("name", BAD_RECORDINGS)
def test_a_bad_recording_is_named_and_the_good_ones_are_still_done(
    intentd: CommandLine, recordings: Path, tmp_path: Path, name: str
) -> None:
    bad = tmp_path / name
    content = BAD_RECORDINGS[name]
    if content is not None:
        bad.write_bytes(content)
    good = str(recordings / GOOD)
    done = intentd("replay", good, str(bad), good, "-c", "coffee")
    assert_refused(done, str(bad))
    assert done.stdout.count("orderDrink") == 2


def test_a_difference_and_a_bad_recording_exit_with_2(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    expect = tmp_path / "expect.ndjson"
    expect.write_text(f'{{"audio": "{recordings / GOOD}", "intent": null}}\n')
    done = intentd(
        "replay", str(recordings / GOOD), str(tmp_path / "no.wav"), "-c", "coffee",
        "--expect", str(expect),
    )  # fmt: skip
    assert done.returncode == 2
    assert "expected a rejection, got orderDrink" in done.stderr


def test_a_configuration_with_a_typo(intentd: CommandLine, configure: Configure) -> None:
    done = intentd("run", "-c", str(configure(segmentr={})))
    assert_refused(done, "segmentr: unknown key", "did you mean segmenter")


def copy_weights(name: str, target: Path) -> Path:
    shutil.copytree(WEIGHTS / name, target / name)
    return target / name


@pytest.mark.parametrize("command", ["run", "check", "replay"])
def test_a_speech_model_without_its_network(
    intentd: CommandLine, configure: Configure, recordings: Path, tmp_path: Path, command: str
) -> None:
    model = copy_weights("vosk-en", tmp_path)
    (model / "am" / "final.mdl").unlink()
    transcriber = {"model": str(model)}
    path = str(configure(recordings / GOOD, transcriber=transcriber))
    audio = [str(recordings / GOOD)] if command == "replay" else []
    done = intentd(command, *audio, "-c", path)
    if command == "check":
        assert done.returncode == 2
        assert str(model) in done.stdout
        assert "am/final.mdl" in done.stdout
    else:
        assert_refused(done, "am/final.mdl", str(model))


def test_a_damaged_speech_model(intentd: CommandLine, configure: Configure, tmp_path: Path) -> None:
    model = copy_weights("vosk-en", tmp_path)
    path = model / "am" / "final.mdl"
    path.write_bytes(path.read_bytes()[:1000])
    done = intentd("run", "-c", str(configure(transcriber={"model": str(model)})))
    assert_refused(done, str(model), "damaged")


def test_a_compiled_grammar_of_another_model(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    model = copy_weights("vosk-en", tmp_path)
    phones = model / "graph" / "phones.txt"
    phones.write_text(phones.read_text().replace("AA_B ", "AX_B "))
    section = {"model": str(model), "grammar": "vosk-coffee"}
    done = intentd("run", "-c", str(configure(transcriber=section)))
    assert_refused(done, "vosk-coffee")


def test_a_language_model_whose_labels_do_not_fit_its_head(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    import json

    model = copy_weights("mobilebert-coffee", tmp_path)
    labels = json.loads((model / "labels.json").read_text())
    labels["heads"][0]["labels"] = labels["heads"][0]["labels"][:1]
    labels["heads"][0].pop("out_of_scope", None)
    (model / "labels.json").write_text(json.dumps(labels))
    copy_weights("mobilebert-base", tmp_path)
    done = intentd("run", "-c", str(configure(understanders=[{"model": str(model)}])))
    assert_refused(done, "heads.npz", "train them anew")


def test_a_threshold_for_an_intent_that_the_model_lacks(
    intentd: CommandLine, configure: Configure
) -> None:
    section = {"model": "mobilebert-coffee", "thresholds": {"orderTea": 0.5}}
    done = intentd("run", "-c", str(configure(understanders=[section])))
    assert_refused(done, "orderTea", "orderDrink")


def test_a_model_that_is_not_there_is_answered_with_those_that_are(
    intentd: CommandLine, configure: Configure
) -> None:
    done = intentd("run", "-c", str(configure(transcriber={"model": "vosk-em"})))
    assert_refused(done, "vosk-em", "vosk-en")


def test_a_domain_that_is_not_there(intentd: CommandLine, configure: Configure) -> None:
    done = intentd("run", "-c", str(configure(domain="tea")))
    assert_refused(done, "tea", "coffee")


def test_no_microphone(intentd: CommandLine, configure: Configure) -> None:
    intentd.environment["PULSE_SERVER"] = "unix:/nowhere"
    source = {"type": "microphone", "device": "no such thing", "wait_for_device": False}
    done = intentd("run", "-c", str(configure(sources=[source])))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "microphone" in done.stderr.splitlines()[-1]


def test_a_full_disk_for_the_model_cache(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    """A cache that can't be written is what a full disk looks like from here."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    intentd.environment["XDG_CACHE_HOME"] = str(blocked)
    done = intentd("run", "-c", str(configure()))
    assert_refused(done, str(blocked), "free some space")


def test_a_socket_directory_that_is_too_deep(
    intentd: CommandLine, configure: Configure, runtime_dir: Path
) -> None:
    intentd.environment["XDG_RUNTIME_DIR"] = str(runtime_dir / ("x" * 80))
    done = intentd("run", "-c", str(configure()))
    assert_refused(done, "too long a path", "XDG_RUNTIME_DIR")


def test_a_socket_directory_that_belongs_to_somebody_else(
    intentd: CommandLine, configure: Configure, runtime_dir: Path
) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can make a folder of somebody else's")
    (runtime_dir / "intentd").mkdir()
    os.chown(runtime_dir / "intentd", 12345, 12345)
    done = intentd("run", "-c", str(configure()))
    assert_refused(done, "is not a folder of yours")


@pytest.mark.parametrize(
    "endpoint", ["tcp://0.0.0.0:5556", "tcp://192.0.2.1:5556", "udp://x", "ipc://"]
)
def test_an_endpoint_that_is_refused(intentd: CommandLine, recordings: Path, endpoint: str) -> None:
    done = intentd("replay", str(recordings / GOOD), "-c", "coffee", "--publish", endpoint)
    assert_refused(done, f"--publish: {endpoint}")


def test_listen_with_a_program_that_is_not_there(
    intentd: CommandLine, configure: Configure
) -> None:
    intentd.start_daemon(configure())
    done = intentd("listen", "--topic", "state/", "--exec", "no-such-program")
    assert_refused(done, "--exec: no-such-program")


def test_words_that_the_speech_model_lacks_are_named_at_start(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    domain = tmp_path / "tea.yaml"
    domain.write_text(
        "language: en\nintents:\n  orderTea:\n    data:\n      - sentences:\n"
        "          - give me a cup of lapsangsouchong tea\n"
    )
    path = configure(domain=str(domain), transcriber={"model": "vosk-en", "grammar": "domain"})
    done = intentd("check", "--no-microphone", "-c", str(path))
    assert done.returncode == 2
    assert "lapsangsouchong" in done.stdout


@pytest.mark.parametrize("placement", ["process", "thread"])
@pytest.mark.parametrize("order", [["bad"], ["good", "bad"], ["good", "bad", "bad"]])
def test_a_bad_recording_is_named_wherever_it_stands(
    intentd: CommandLine, recordings: Path, tmp_path: Path, placement: str, order: list[str]
) -> None:
    configuration = tmp_path / "x.yaml"
    text = (ROOT / "configs/coffee.yaml").read_text()
    configuration.write_text(text.replace("placement: process", f"placement: {placement}"))
    files = []
    for number, kind in enumerate(order):
        files.append(tmp_path / f"{number}.flac")
        if kind == "good":
            shutil.copy(recordings / GOOD, files[-1])
        else:
            files[-1].write_bytes(b"no sound")
    done = intentd("replay", *map(str, files), "-c", str(configuration))
    assert done.returncode == 2
    assert done.stderr.count("intentd: error:") == order.count("bad")
    assert done.stdout.count("orderDrink") == order.count("good")
    assert "nothing heard" not in done.stdout


def test_no_audio_on_standard_input(intentd: CommandLine) -> None:
    done = intentd("replay", "-", "-c", "coffee", stdin=b"")
    assert_refused(done, "-")


def test_an_ordinary_file_is_never_taken_for_a_socket(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("do not delete")
    done = intentd(
        "replay", str(recordings / GOOD), "-c", "coffee", "--publish", f"ipc://{precious}"
    )
    assert_refused(done, str(precious), "no socket")
    assert precious.read_text() == "do not delete"


@pytest.mark.parametrize("arguments", [["version"], ["models", "list"], ["replay", "GOOD"]])
def test_output_that_can_not_be_written(
    intentd: CommandLine, recordings: Path, arguments: list[str]
) -> None:
    """/dev/full is a disk without room."""
    import subprocess
    import sys

    real = [str(recordings / GOOD) if a == "GOOD" else a for a in arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *real],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=intentd.environment,
            check=False,
        )
    assert_refused(done, "No space left on device")


@pytest.mark.parametrize("name", ["größe 1.flac", "a\nb.flac", "non\u00a0breaking.flac"])
def test_odd_file_names_come_back_as_they_were_given(
    intentd: CommandLine, recordings: Path, tmp_path: Path, name: str
) -> None:
    import json

    path = tmp_path / name
    shutil.copy(recordings / GOOD, path)
    done = intentd("replay", str(path), "-c", "coffee", "--format", "json")
    assert done.returncode == 0, done.stderr
    [event] = [json.loads(line) for line in done.stdout.splitlines()]
    assert event["file"] == str(path)


def test_a_file_name_that_is_no_text(
    intentd: CommandLine, recordings: Path, tmp_path: Path
) -> None:
    bad = os.fsencode(tmp_path) + b"/\xff.flac"
    shutil.copy(recordings / GOOD, bad)
    done = intentd("replay", os.fsdecode(bad), str(recordings / GOOD), "-c", "coffee")
    assert_refused(done, "not valid UTF-8")
    assert "orderDrink" in done.stdout


def test_wait_subscribers_without_a_place_to_subscribe(
    intentd: CommandLine, recordings: Path
) -> None:
    done = intentd("replay", str(recordings / GOOD), "--wait-subscribers", "1")
    assert_refused(done, "--publish")


@pytest.mark.timeout(180)
def test_more_requests_than_can_be_worked_on_are_refused_and_the_daemon_goes_on(
    intentd: CommandLine, configure: Configure
) -> None:
    import zmq

    intentd.start_daemon(configure())
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(f"ipc://{intentd.directory / 'control'}")
        for _ in range(2000):
            socket.send_multipart([b"", b'{"command": "say", "text": "give me a latte"}'])
    context.term()
    for _ in range(20):
        done = intentd("say", "give me a latte", "--timeout", "20")
        if done.returncode == 0:
            break
        assert_refused(done, "the daemon is busy; try again")
    assert "orderDrink" in done.stdout
