"""Recordings without a transcript get one from a larger recogniser; what is unsure is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from click.testing import CliRunner

from models.training.speech.manifest import Problems, read_manifest
from models.training.speech.pseudo_labels import labels_of, main
from models.training.speech.transcript import Pronouncer, TranscriptError

REPLAYS = Path(__file__).parents[1] / "replays/coffee"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Is he going?", "is he going"),
        ("Mr. Thornton, the well-known — he's late.", "mister thornton the well known he's late"),
        ("You Then said the eunuch, no.", "then said the eunuch no"),
        ("You don't say.", "you don't say"),
    ],
)  # fmt: skip
def test_a_written_text_becomes_what_was_said(text: str, words: str) -> None:
    assert labels_of(text) == words


@pytest.mark.parametrize("text", ["Chapter 34.", "", "50% of it", "¡Hola!"])
def test_what_nobody_knows_how_to_read_is_refused(text: str) -> None:
    with pytest.raises(TranscriptError):
        labels_of(text)


def recordings(folder: Path) -> Path:
    """Five speakers without a transcript, one with, one recording that is missing."""
    lines = ["path\ttranscript\tspeaker"]
    for number, path in enumerate(
        sorted(p for p in REPLAYS.iterdir() if p.suffix != ".ndjson")[:6]
    ):
        samples, rate = soundfile.read(path, always_2d=True)
        mono = soxr.resample(samples.mean(axis=1), rate, 16_000)
        soundfile.write(folder / f"{number}.wav", np.clip(mono, -1, 1), 16_000)
        transcript = path.stem.replace("-", " ") if number == 5 else ""
        lines.append(f"{number}.wav\t{transcript}\tspeaker{number}")
    lines.append("absent.wav\t\tspeaker9")
    manifest = folder / "manifest.tsv"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest


def test_recordings_are_heard_and_speakers_held_out(tmp_path: Path) -> None:
    pytest.importorskip("moonshine_voice")
    out = tmp_path / "out"
    result = CliRunner().invoke(main, [str(recordings(tmp_path)), str(out), "--held-out", "3"])
    assert result.exit_code == 0, result.output
    assert "word errors on 1 rows that had a transcript: " in result.output
    assert "absent.wav" in result.stderr
    problems = Problems()
    training = read_manifest(out / "training.tsv", Pronouncer(), problems)
    held_out = read_manifest(out / "held-out.tsv", Pronouncer(), problems)
    assert {u.speaker for u in held_out} == {"speaker0", "speaker3"}
    assert {u.speaker for u in training} == {"speaker1", "speaker2", "speaker4"}
    assert not problems.found
    heard = (out / "training.tsv").read_text() + (out / "held-out.tsv").read_text()
    assert "single shot latte" in heard
    assert "almond milk" in heard


def test_a_manifest_that_is_none_is_told_in_a_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "none.tsv"), str(tmp_path)])
    assert result.exit_code == 1
    assert "none.tsv can't be read" in result.stderr
    assert "Traceback" not in result.output
