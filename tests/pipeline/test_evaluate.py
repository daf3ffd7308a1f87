"""``intentd evaluate`` and ``compare``: from labelled recordings to figures, bars and a page."""

from __future__ import annotations

import html
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from command_line import CommandLine

from models.errors import IntentdError
from models.metrics import Cost
from pipeline.evaluation.bars import parse_bars
from pipeline.evaluation.chain import Chain
from pipeline.evaluation.comparing import compare
from pipeline.evaluation.document import (
    Evaluation,
    make_document,
    read_document,
    write_document,
)
from pipeline.evaluation.labels import Label
from pipeline.evaluation.mixing import Condition, loudest_frame, mix, read_samples
from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.page import write_report
from pipeline.evaluation.running import Prepared, model_ids, prepare
from pipeline.evaluation.working import evaluate_recording, work

HOME = ("turn-on-the-kitchen-lights.flac", "turn-off-the-bedside-lamp.ogg")
REJECTED = "she-read-the-letter-twice-and-began-to-laugh.ogg"


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Journals of these tests, beside the user's own assembled models."""
    cache = tmp_path_factory.mktemp("cache")
    own = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "intentd" / "vosk"
    if own.is_dir():
        (cache / "intentd").mkdir()
        (cache / "intentd" / "vosk").symlink_to(own)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture
def data(tmp_path: Path, recordings: Path) -> Path:
    """Three recordings in NDJSON; the second label has a slot that nobody said."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in (*HOME, REJECTED):
        shutil.copy(recordings / "home" / name, folder)
    labels = [
        {
            "audio": HOME[0],
            "text": "turn on the kitchen lights",
            "intent": "HassTurnOn",
            "slots": {"area": "kitchen", "domain": "light"},
        },
        {
            "audio": HOME[1],
            "text": "turn off the bedside lamp",
            "intent": "HassTurnOff",
            "slots": {"name": "bedside lamp", "area": "kitchen"},
        },
        {"audio": REJECTED, "intent": None},
    ]
    path = folder / "labels.ndjson"
    path.write_text("".join(json.dumps(label) + "\n" for label in labels))
    return path


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "hiss.wav"
    samples = np.random.default_rng(3).normal(0, 2000, 16_000 * 12)
    soundfile.write(path, samples.astype(np.int16), 16_000)
    return path


def evaluate_here(
    data: Path, noise: Path | None = None, audio: Path | None = None
) -> tuple[Prepared, Evaluation]:
    """An evaluation in this process."""
    noises, ratios = ([str(noise)], [30.0]) if noise else ([], [])
    prepared = prepare(data, "home", noises=noises, ratios=ratios, audio=audio)
    job = prepared.job
    chain = Chain(job.configuration)
    chain.open()
    found = [o for r in job.recordings for o in evaluate_recording(chain, r, job.conditions, 0)]
    chain.close()
    document = make_document(
        found,
        job.conditions,
        data=str(data),
        configuration="home",
        models=model_ids(job.configuration),
        thresholds={"*": 0.6},
        seed=0,
        cost=Cost(),
    )
    return prepared, document


def test_given_recordings_then_every_figure_and_voice2jsons_keys(
    intentd: CommandLine, data: Path
) -> None:
    done = intentd("evaluate", str(data), "-c", "home", "--json", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (clean,) = found["conditions"]
    assert clean["acceptance"]["numerator"] == 2
    assert clean["acceptance"]["denominator"] == 3
    assert clean["intents"]["accuracy"]["value"] == 1
    assert clean["slots"]["by_slot"]["area"]["recall"] == 0.5
    assert clean["words"]["wer"]["value"] == 0
    assert clean["false_accept_rate"]["value"] == 0
    assert clean["rejection"]["unwanted"] == 1
    assert clean["latency_ms"]["total"]["count"] >= 2
    assert 0 < clean["real_time_factor"]["value"] < 5
    statistics = found["statistics"]
    assert statistics["num_wavs"] == 3
    assert statistics["num_words"] == statistics["correct_words"] == 10
    assert (statistics["num_entities"], statistics["correct_entities"]) == (4, 3)
    assert statistics["correct_transcriptions"] == 2
    (cause,) = found["causes"]
    assert (cause["kind"], cause["what"]) == ("misunderstood", "slot area")
    (failure,) = cause["failures"]
    assert failure["audio"] == HOME[1]


def test_given_noise_and_a_report_then_a_page_and_a_bar_that_is_missed(
    intentd: CommandLine, data: Path, noise: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    done = intentd(
        *("evaluate", str(data), "-c", "home", "--noise", str(noise), "--snr", "5,-20"),
        *("--report", str(report), "--fail-under", "acceptance=0.9"),
        *("--fail-under", "intent_accuracy@clean=0.9", "--fail-over", "wer@-20=0.5"),
    )
    assert done.returncode == 1
    missed = [line for line in done.stderr.splitlines() if line.startswith("missed")]
    assert missed == [
        "missed: acceptance@clean >= 0.9: it is 0.6667",
        "missed: wer@hiss -20 dB <= 0.5: it is 1",
    ]
    assert "hiss 5 dB" in done.stdout
    page = (report / "report.html").read_text()
    assert "data:audio/mpeg;base64," in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    written = json.loads((report / "evaluation.json").read_text())
    assert [c["condition"] for c in written["conditions"]] == ["clean", "hiss 5 dB", "hiss -20 dB"]
    kinds = {cause["kind"] for cause in written["causes"]}
    assert "nothing-heard" in kinds or "misheard" in kinds


def test_given_a_folder_then_json_or_the_words_alone_are_labels(data: Path) -> None:
    folder = data.parent
    data.unlink()
    (folder / HOME[0]).with_suffix(".txt").write_text("Turn on the kitchen lights\n")
    (folder / HOME[1]).with_suffix(".json").write_text('{"intent": "HassTurnOff"}')
    (folder / REJECTED).with_suffix(".json").write_text('{"intent": null}')
    _, found = evaluate_here(folder)
    label = {one.audio: one for one in found.recordings}[HOME[0]].expected
    assert label.intent == "HassTurnOn"
    assert label.slots
    assert label.slots["area"] == "kitchen"
    assert found.conditions[0].acceptance.value == 1


def test_given_picovoices_labels_then_the_recordings_may_have_another_suffix(
    data: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "label.json"
    meaning = {"intent": "HassTurnOn", "slots": {"area": " kitchen"}}
    labels.write_text(json.dumps({"turn-on-the-kitchen-lights.wav": meaning}))
    _, found = evaluate_here(labels, audio=data.parent)
    assert found.conditions[0].acceptance.value == 1
    assert found.conditions[0].acceptance_strict.value == 0  # domain was not labelled


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"audio": "none.wav", "intent": "HassTurnOn"}', "recording none.wav is missing"),
        ('{"audio": "AUDIO", "intent": "HassTurnOnn"}', "did you mean HassTurnOn?"),
        ('{"audio": "AUDIO", "intent": "HassTurnOn", "slots": {"aera": "x"}}', "mean area?"),
        ('{"audio": "AUDIO"}', "no text and no intent"),
        ('{"audio": "AUDIO", "intent": "HassTurnOn", "slot": {}}', "audio, text, intent, slots"),
        ('{"audio": "AUDIO", "intent": ', "truncated"),
        ('{"audio": "FIRST", "intent": "HassTurnOn"}', "labelled a second time"),
    ],
)
def test_given_a_bad_label_then_file_and_line_are_named(
    data: Path, line: str, message: str
) -> None:
    lines = data.read_text().splitlines()
    kept = [lines[0], line.replace("AUDIO", HOME[1]).replace("FIRST", HOME[0])]
    data.write_text("\n".join(kept) + "\n")
    with pytest.raises(IntentdError) as error:
        prepare(data, "home")
    assert error.value.message.startswith(f"{data}:2: ")
    assert message in error.value.message


@pytest.mark.parametrize(
    ("noises", "ratios", "message"),
    [
        (["SHORT"], [6], "the noise lasts 0.5 s"),
        (["none.wav"], [6], "no such file"),
        ([], [6], "belong together"),
        (["SHORT"], [], "belong together"),
    ],
)
def test_given_bad_noise_then_an_error(
    data: Path, tmp_path: Path, noises: list[str], ratios: list[float], message: str
) -> None:
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(8000, np.int16), 16_000)
    with pytest.raises(IntentdError, match=message):
        prepare(
            data, "home", noises=[n.replace("SHORT", str(short)) for n in noises], ratios=ratios
        )


@pytest.mark.parametrize(
    ("bar", "under", "message"),
    [
        ("wer=0.1", True, "wer is none of"),
        ("acceptance=0.1", False, "acceptance is none of"),
        ("acceptance@9=1", True, "9 is no condition"),
        ("acceptance=high", True, "acceptance=NUMBER"),
        ("acceptance=95", True, "from 0 to 1"),
        ("wer=nan", False, "from 0 to 1"),
    ],
)
def test_given_a_bad_bar_then_an_error(bar: str, under: bool, message: str) -> None:
    with pytest.raises(IntentdError, match=message):
        list(parse_bars([bar], [Condition(), Condition(noise="hiss.wav", snr=6)], under=under))


def test_given_two_noises_then_a_ratio_alone_names_no_condition() -> None:
    conditions = [Condition(noise=f"{name}.wav", snr=6) for name in ("fan", "hiss")]
    with pytest.raises(IntentdError, match="it has fan 6 dB, hiss 6 dB"):
        list(parse_bars(["wer@6=0.1"], conditions, under=False))
    (bar,) = parse_bars(["wer@fan 6 dB=0.1"], conditions, under=False)
    assert bar.condition == "fan 6 dB"


def test_given_a_report_that_cant_be_written_then_one_line_before_the_work(
    intentd: CommandLine, data: Path
) -> None:
    done = intentd("evaluate", str(data), "-c", "home", "--report", "/proc/nowhere")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "/proc/nowhere: the report can't be written there" in line


def test_given_an_empty_set_or_two_labels_for_a_file_then_an_error(
    data: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.ndjson"
    empty.write_text("\n")
    with pytest.raises(IntentdError, match="no labelled recording"):
        prepare(empty, "home")
    twice = tmp_path / "label.json"
    twice.write_text('{\n"a.wav": {"intent": "HassTurnOn"},\n"a.wav": {"intent": "HassTurnOff"}\n}')
    shutil.copy(data.parent / HOME[0], tmp_path / "a.flac")
    with pytest.raises(IntentdError) as error:
        prepare(twice, "home")
    told = f"{twice}:3: a.wav is labelled a second time (first in {twice}:2)"
    assert error.value.message.startswith(told)
    for suffix in (".txt", ".json"):
        (tmp_path / "a.flac").with_suffix(suffix).write_text('{"intent": null}')
    with pytest.raises(IntentdError, match="has two labels"):
        prepare(tmp_path, "home")


def test_given_an_interruption_then_the_same_evaluation_goes_on(
    intentd: CommandLine, data: Path, noise: Path
) -> None:
    # Enough to do that a busy machine is not done before it is interrupted.
    ratios = list(range(30, 51, 2))
    total = 3 * (1 + len(ratios))
    snr = ",".join(map(str, ratios))
    command = ["evaluate", str(data), "-c", "home", "--noise", str(noise), "--snr", snr]
    running = intentd.start(*command, "--jobs", "1", "--json")
    prepared = prepare(data, "home", noises=[str(noise)], ratios=ratios)
    journal = prepared.journal()
    deadline = time.monotonic() + 50
    while not journal.path.exists():
        assert time.monotonic() < deadline, "nothing was written down"
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "the same command goes on" in told
    known = journal.read()
    assert 3 <= len(known) < total
    with journal.path.open("ab") as file:
        file.write(b'\n{"audio": "torn')
    seen: list[Outcome] = []
    found = work(prepared.job, journal, jobs=1, on_done=seen.append, on_warning=pytest.fail)
    assert len(found) == len(seen) == total
    assert all(outcome in found for outcome in known), "what was known is not done again"
    assert len(journal.read()) == total


def test_given_two_evaluations_then_what_changed_and_whether_it_is_chance(
    intentd: CommandLine, data: Path, noise: Path, tmp_path: Path
) -> None:
    _, first = evaluate_here(data, noise)
    replace = msgspec.structs.replace
    rejected = tuple(
        replace(o, acceptance=False, acceptance_strict=False) if o.audio == HOME[0] else o
        for o in first.recordings
    )
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    write_document(first, paths[0])
    write_document(replace(first, recordings=rejected), paths[1])
    told = intentd("compare", *map(str, paths))
    assert told.returncode == 0
    assert f"now wrong: {HOME[0]}" in told.stdout
    assert "of 3 recordings 0 got right and 1 wrong" in told.stdout
    assert "no significant difference (McNemar, p = 1)" in told.stdout
    change = compare(read_document(paths[1]), read_document(paths[0])).conditions[0]
    assert change.better == (HOME[0],)
    assert change.worse == ()
    with pytest.raises(IntentdError, match="is no evaluation"):
        read_document(data)
    fewer = replace(
        first,
        recordings=tuple(o for o in first.recordings if o.audio != HOME[1]),
        conditions=tuple(replace(f, recordings=f.recordings - 1) for f in first.conditions),
    )
    change = compare(first, fewer).conditions[0]
    assert (change.recordings, change.left_out) == (2, 1)
    assert change.figures["acceptance"] == (1, 1), "of what both hold nothing failed"
    relabelled = tuple(replace(o, expected=Label(intent=None)) for o in first.recordings)
    with pytest.raises(IntentdError, match="labelled otherwise"):
        compare(first, replace(first, recordings=relabelled))


@pytest.mark.needs("chromium", "chromium")
def test_given_the_page_then_a_browser_shows_charts_failures_and_players(
    data: Path, noise: Path, tmp_path: Path
) -> None:
    hostile = "</script><script>alert(1)</script>"
    data.write_text(data.read_text().replace('"area": "kitchen"}', f'"area": "{hostile}"}}'))
    prepared, document = evaluate_here(data, noise)
    page = write_report(document, prepared.job, tmp_path)
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    own = (f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr")
    shown = subprocess.run(
        ["chromium", *flags, *quiet, *own, "--dump-dom", f"file://{page}"],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert "CONSOLE" not in shown.stderr, shown.stderr
    dom = shown.stdout
    assert dom.count("<svg") >= 3
    assert "slot F1" in dom
    assert "<audio" in dom
    assert f"<del>{html.escape(hostile)}</del>" in dom
    assert "<script>alert" not in dom


def test_given_a_ratio_then_the_loudest_frames_stand_in_it_and_the_offset_is_the_same(
    recordings: Path, noise: Path
) -> None:
    speech = read_samples(str(recordings / "home" / HOME[0])).astype("<i2").tobytes()
    voice = np.frombuffer(speech, "<i2").astype(float)
    found = []
    for ratio in (6.0, 12.0):
        condition = Condition(noise=str(noise), snr=ratio)
        mixed = np.frombuffer(mix(speech, condition, name="x", seed=1), "<i2").astype(float)
        scaled = voice * (mixed @ voice) / (voice @ voice)
        added = mixed - scaled
        found.append(added / np.abs(added).max())
        measured = 10 * np.log10(loudest_frame(scaled) / loudest_frame(added))
        assert measured == pytest.approx(ratio, abs=0.3)
        assert mix(speech, condition, name="x", seed=1) == mix(speech, condition, name="x", seed=1)
        assert mix(speech, condition, name="x", seed=2) != mix(speech, condition, name="x", seed=1)
    assert np.corrcoef(*found)[0, 1] > 0.99
