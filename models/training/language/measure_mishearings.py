"""Counts what a speech model mishears, on synthetic speech of texts and on recordings.

apt install espeak-ng flite
python -m models.training.language.measure_mishearings --texts TEXTS --out mishearings.json
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random

import click
import numpy as np
import soundfile
import soxr

from models.catalogue import find
from models.errors import IntentdError
from models.suppression import strength_of, suppress
from models.training.language.mishearings import (
    Mishearings,
    count_mishearings,
    write_mishearings,
)
from models.vosk.recogniser import SpeechModel

VOICES = ("flite/slt", "flite/rms", "flite/awb", "espeak-ng/en-gb", "espeak-ng/en-us")
RATE = 16_000
SILENCE = 0.4
"""Seconds before and behind a text."""

NOISE = (0.0005, 0.01)
"""RMS of white noise, drawn evenly in logarithms."""

PEAK = 0.5
REPORTED = 25
"""Texts after which the counts so far are written."""


def speak(text: str, voice: str) -> np.ndarray:
    """Synthetic speech, float32 mono at 16 kHz."""
    program, name = voice.split("/")
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder, "speech.wav"))
        command = {
            "espeak-ng": ["espeak-ng", "-v", name, "-w", wav, text],
            "flite": ["flite", "-voice", name, "-t", text, "-o", wav],
        }[program]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        samples, rate = soundfile.read(wav, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


def hear(model: SpeechModel, samples: np.ndarray) -> str:
    """What a model hears by dictation, behind the daemon's own suppression of noise."""
    return model.recogniser().hear(suppress(samples, strength_of(None))).text


def synthetic(model: SpeechModel, texts: list[str], rng: Random) -> Iterator[tuple[str, str]]:
    """What was said and heard, a voice and a noise for each text."""
    noise = np.random.default_rng(rng.randrange(1 << 30))
    for text in texts:
        speech = speak(text, rng.choice(VOICES))
        padded = np.pad(PEAK * speech / max(1e-6, float(np.abs(speech).max())), int(SILENCE * RATE))
        low, high = np.log(NOISE)
        level = float(np.exp(rng.uniform(low, high)))
        yield text, hear(model, padded + noise.normal(scale=level, size=len(padded)))


def recorded(
    model: SpeechModel, manifest: Path, count: int, rng: Random
) -> Iterator[tuple[str, str]]:
    """What was said and heard in recordings of a manifest (``path``, ``transcript``)."""
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["transcript"]]
    for row in rng.sample(rows, min(count, len(rows))):
        samples, rate = soundfile.read(manifest.parent / row["path"], dtype="float32")
        speech = np.pad(soxr.resample(samples, rate, RATE), int(SILENCE * RATE))
        yield row["transcript"].lower(), hear(model, speech)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--texts", type=click.Path(path_type=Path), required=True, help="One a line.")
@click.option("--count", default=600, help="Texts that are spoken.")
@click.option(
    "--manifest", type=click.Path(path_type=Path), multiple=True, help="Recordings, tab-separated."
)
@click.option("--recordings", default=200, help="Recordings of each manifest.")
@click.option("--model", default="vosk-en", help="Name or folder.")
@click.option("--seed", default=0)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    texts: Path,
    count: int,
    manifest: tuple[Path, ...],
    recordings: int,
    model: str,
    seed: int,
    out: Path,
) -> None:
    """Count what a speech model mishears. Texts with words that it lacks are left out."""
    rng = Random(seed)
    try:
        speech = SpeechModel(find(model), name=model)
    except IntentdError as error:
        raise click.ClickException(error.message) from error
    lines = sorted({line.strip() for line in texts.read_text(encoding="utf-8").splitlines()})
    lines = [line for line in lines if line and not speech.missing(set(line.split()))]
    chosen = rng.sample(lines, min(count, len(lines)))
    pairs: list[tuple[str, str]] = []
    told = [f"{len(chosen)} texts by {', '.join(VOICES)}"]
    runs = [synthetic(speech, chosen, rng)]
    for path in manifest:
        runs.append(recorded(speech, path, recordings, rng))
        told.append(f"{recordings} recordings of {path.parent.name}")
    for pair in chain(*runs):
        pairs.append(pair)
        if len(pairs) % REPORTED == 0:
            click.echo(f"{len(pairs)} texts")
            _write(out, pairs, speech.id, f"the first {len(pairs)} of {'; '.join(told)}")
    found = _write(out, pairs, speech.id, "; ".join(told))
    click.echo(f"{found.words} words, {100 * found.error_rate:.1f} % errors; {out}")


def _write(out: Path, pairs: list[tuple[str, str]], model: str, recordings: str) -> Mishearings:
    found = count_mishearings(pairs, model=model, recordings=recordings)
    write_mishearings(out, found)
    return found


if __name__ == "__main__":
    main()
