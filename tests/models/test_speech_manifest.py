"""A training manifest: usable lines are learnt from, bad ones are named, counted and left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.errors import ConfigurationError, ModelError
from models.training.speech.audio import AudioError, read_noise, read_speech
from models.training.speech.manifest import (
    NAMED,
    Problems,
    Utterance,
    read_manifest,
    read_noises,
)
from models.training.speech.settings import read_settings
from models.training.speech.split import is_held_out, split
from models.training.speech.transcript import Pronouncer, TranscriptError, split_words
from models.vosk.export import PHONES

LEXICON = {"hello": (("HH", "AH", "L", "OW"), ("HH", "EH", "L", "OW")), "it's": (("IH", "T", "S"),)}


@pytest.fixture
def pronouncer() -> Pronouncer:
    return Pronouncer(LEXICON)


def record(path: Path, *, rate: int = 16_000, seconds: float = 1.0, channels: int = 1) -> Path:
    rng = np.random.default_rng(1)
    samples = rng.uniform(-0.5, 0.5, (int(rate * seconds), channels))
    soundfile.write(path, samples[:, 0] if channels == 1 else samples, rate)
    return path


def write_manifest(folder: Path, *lines: str, header: str = "path\ttranscript\tspeaker") -> Path:
    path = folder / "manifest.tsv"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def test_given_a_line_then_it_has_the_labels_of_its_first_pronunciations(
    tmp_path: Path, pronouncer: Pronouncer
) -> None:
    record(tmp_path / "a.wav")
    manifest = write_manifest(tmp_path, "a.wav\tHello, it's\tanna")
    problems = Problems()
    (utterance,) = read_manifest(manifest, pronouncer, problems)
    assert " ".join(PHONES[label - 1] for label in utterance.labels) == "HH AH L OW IH T S"
    assert (utterance.audio, utterance.speaker) == (tmp_path / "a.wav", "anna")
    assert not problems.found


def test_given_phones_then_they_go_before_the_dictionary(
    tmp_path: Path, pronouncer: Pronouncer
) -> None:
    record(tmp_path / "a.wav")
    manifest = write_manifest(
        tmp_path, "a.wav\txyzzy\tanna\tEH1 K S", header="path\ttranscript\tspeaker\tphones"
    )
    (utterance,) = read_manifest(manifest, pronouncer, Problems())
    assert [PHONES[label - 1] for label in utterance.labels] == ["EH", "K", "S"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("missing.wav\thello\tanna", "no such recording: missing.wav"),
        ("\thello\tanna", "no such recording: (empty)"),
        ("a.wav\thello 24\tanna", "digits in the transcript: 24; write them as words"),
        ("a.wav\thello €\tanna", "unknown symbol in the transcript: €"),
        ("a.wav\thellö\tanna", "unknown symbol in the transcript: hellö"),
        ("a.wav\t\tanna", "no transcript"),
        ("a.wav\t...\tanna", "no transcript"),
        ("a.wav\thello xyzzy\tanna", "no pronunciation: xyzzy"),
        ("a.wav\thello\t", "no speaker"),
        ("a.wav\thello", "number of columns: 2 instead of 3"),
        ("a.wav\thello\tanna\tmore", "number of columns: 4 instead of 3"),
    ],
)
def test_given_a_bad_line_among_good_ones_then_it_alone_is_left_out_and_named(
    tmp_path: Path, pronouncer: Pronouncer, line: str, reason: str
) -> None:
    record(tmp_path / "a.wav")
    manifest = write_manifest(tmp_path, "a.wav\thello\tanna", line, "a.wav\thello\tben")
    problems = Problems()
    found = read_manifest(manifest, pronouncer, problems)
    assert [utterance.speaker for utterance in found] == ["anna", "ben"]
    assert [(p.place, p.reason) for p in problems.found] == [(f"{manifest}, line 3", reason)]


def test_given_many_bad_lines_then_the_report_names_some_and_counts_all(
    tmp_path: Path, pronouncer: Pronouncer
) -> None:
    record(tmp_path / "a.wav")
    manifest = write_manifest(tmp_path, "a.wav\thello\tanna", *["a.wav\t7\tanna"] * (NAMED + 5))
    problems = Problems()
    read_manifest(manifest, pronouncer, problems)
    report = list(problems.report())
    assert len(report) == NAMED + 2
    assert report[0].startswith(f"left out: {manifest}, line 3: digits in the transcript")
    assert report[-2:] == ["left out: 5 more", "left out in all: 25 × digits in the transcript"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read: No such file or directory"),
        (b"path\ttranscript\tspeaker\n\xff\xfe", "can't be read: it is not UTF-8 text"),
        (b"", "lacks the column path: its first line must name path, transcript, speaker"),
        (b"path\ttranscript\n", "lacks the column speaker"),
        (b"path\ttranscript\tspeaker\n", "has no usable line: it is empty"),
        (b"path\ttranscript\tspeaker\nx\ty\tz\n", "has no usable line: line 2: no such recording"),
    ],
)
def test_given_an_unreadable_manifest_then_it_is_an_error(
    tmp_path: Path, pronouncer: Pronouncer, content: bytes | None, message: str
) -> None:
    path = tmp_path / "manifest.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as error:
        read_manifest(path, pronouncer, Problems())
    assert str(path) in error.value.message


def test_given_kinds_of_noise_to_exclude_then_they_stay_out(tmp_path: Path) -> None:
    for name in ("rain", "tap"):
        record(tmp_path / f"{name}.wav")
    manifest = write_manifest(
        tmp_path, "rain.wav\train", "tap.wav\twater tap", "x.wav\tdog", header="path\ttranscript"
    )
    problems = Problems()
    assert read_noises(manifest, problems, exclude=["tap"]) == [tmp_path / "rain.wav"]
    assert [problem.reason for problem in problems.found] == ["no such recording: x.wav"]


def test_given_any_speakers_then_the_sides_of_the_split_share_none() -> None:
    utterances = [Utterance(Path("a"), f"speaker{n % 200}", (1,)) for n in range(1000)]
    training, held_out = split(utterances, 10)
    assert len(training) + len(held_out) == 1000
    sides = [{utterance.speaker for utterance in side} for side in (training, held_out)]
    assert not sides[0] & sides[1]
    assert 8 <= len(sides[1]) <= 35  # 10 % of 200, and chance


def test_the_rule_of_the_split_is_the_published_one() -> None:
    # printf ls1272 | sha256sum -> 1d0bad8e…, which is 487304590, and 90 modulo 100
    assert not is_held_out("ls1272", 90)
    assert is_held_out("ls1272", 91)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: record(path, rate=8000), "wrong format: 8000 Hz, 1 channel"),
        (lambda path: record(path, channels=2), r"wrong format: 16000 Hz, 2 channel\(s\)"),
        (lambda path: record(path, seconds=0.05), "wrong length: 0.1 s"),
        (lambda path: record(path, seconds=31), "wrong length: 31.0 s"),
        (lambda path: path.write_bytes(b"not a recording"), "damaged recording"),
        (lambda path: path.write_bytes(b""), "damaged recording"),
        (lambda path: path.mkdir(), "damaged recording"),
        (lambda path: soundfile.write(path, np.zeros(16_000), 16_000), "silent recording"),
    ],
)
def test_given_a_recording_that_is_unfit_then_the_reason_is_named(
    tmp_path: Path, make: object, reason: str
) -> None:
    path = tmp_path / "a.wav"
    assert callable(make)
    make(path)
    with pytest.raises(AudioError, match=reason):
        read_speech(path)


def test_given_noise_of_another_rate_in_stereo_then_it_is_converted(tmp_path: Path) -> None:
    samples = read_noise(record(tmp_path / "a.wav", rate=44_100, channels=2))
    assert samples.shape == (16_000,)


def test_given_marks_in_a_transcript_then_words_are_left() -> None:
    assert split_words("It’s (here) — Hello, the dogs' end!") == [
        "it's",
        "here",
        "hello",
        "the",
        "dogs'",
        "end",
    ]
    with pytest.raises(TranscriptError, match="unknown symbol"):
        split_words("a'''b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("out: a\ncache: b\nspeech: []", "length >= 1"),
        ("out: a\ncache: b\nspeech: [{manifest: c}]\nsped: 1", "unknown field `sped`"),
        ("out: a\ncache: b\nspeech: [{manifest: 3}]", "manifest"),
        ("out: [", "is not YAML"),
        ("out: a\ncache: b\nspeech: [{manifest: c}]\nheld_out: 90", "held_out"),
    ],
)
def test_given_a_wrong_configuration_then_the_error_names_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "speech.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as error:
        read_settings(path)
    assert str(path) in error.value.message


def test_paths_of_a_configuration_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "speech.yaml"
    path.write_text("out: run\ncache: /cache\nspeech: [{manifest: c.tsv, weight: 2}]")
    settings = read_settings(path)
    assert settings.out == tmp_path / "run"
    assert settings.cache == Path("/cache")
    assert settings.speech[0].manifest == tmp_path / "c.tsv"


def test_a_name_that_no_dictionary_has_is_spoken_as_it_is_spelled() -> None:
    """NOMES: the sound of each letter, as a reader would guess."""
    labels = Pronouncer().labels("nomes")
    assert [PHONES[label - 1] for label in labels] == ["N", "OW", "M", "Z"]
