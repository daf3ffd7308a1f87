"""Synthetic speech to learn from: sentences, read by every voice that the machine has.

::

    apt install flite espeak-ng festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts
    python -m models.training.speech.synthetic --domain configs/domains/coffee.yaml \\
        --text texts.txt --count 3000 --seed 5 --into data/synthetic

Speed and pitch of each sentence are drawn at random, and those of recorded voices are stretched
along with the formants, as if somebody larger or smaller spoke. The folder holds Opus files and a
``manifest.tsv``; the same seed, voices and programs give the same sentences in the same voices.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import click
import numpy as np
import soundfile
import soxr

from models.domain import Domain
from models.errors import IntentdError, ModelError
from models.training.speech.audio import RATE, Samples
from models.training.speech.coverage import choose

SAMPLED = 20
"""Sentences of a domain that are drawn for each one that is said."""

SIZES = (0.86, 1.16)
"""How much larger or smaller a recorded voice may become."""

EDGES = (0.2, 0.3)
"""Seconds kept before and behind the speech."""

PEAK = 0.9
QUIET = 1e-3
SHARES = {"flite": 5, "espeak-ng": 3, "festival": 2}
"""How often each program speaks."""

FLITE = ("slt", "rms", "awb", "kal16")
FESTIVAL = ("cmu_us_slt_arctic_hts", "ked_diphone", "kal_diphone")
ESPEAK = ("en-us", "en-us-nyc", "en-gb", "en-gb-x-rp", "en-gb-scotland")
VARIANTS = tuple(
    """Alicia Andrea Andy Annie Denis Diogo Gene Hugo Jacky Lee Marco Michael Mike adam anika
    belinda boris ed edward f1 f2 f3 f4 f5 grandma iven john linda m1 m2 m3 m4 m5 m6 m7 m8 max
    paul quincy rob robert shelby steph travis victor zac""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One sentence in one voice."""

    speaker: str
    command: tuple[str, ...]
    """Program that writes the file named last; it reads the text from its input."""

    size: float
    """Of the voice, beside its own."""


def _flite(random: Random, path: Path) -> Reading:
    voice = random.choice(FLITE)
    stretch = f"duration_stretch={random.uniform(0.75, 1.3):.2f}"
    command = ["flite", "-voice", voice, "--setf", stretch]
    if voice == "kal16":
        command += ["--setf", f"int_f0_target_mean={random.uniform(80, 200):.0f}"]
    return Reading(f"flite-{voice}", (*command, "-o", str(path)), random.uniform(*SIZES))


def _espeak(random: Random, path: Path) -> Reading:
    accent, variant = random.choice(ESPEAK), random.choice(VARIANTS)
    speed, pitch = str(random.randint(125, 210)), str(random.randint(20, 80))
    command = ("espeak-ng", "-v", f"{accent}+{variant}", "-s", speed, "-p", pitch, "--stdin")
    return Reading(f"espeak-{variant}", (*command, "-w", str(path)), 1.0)


def _festival(random: Random, path: Path) -> Reading:
    voice = random.choice(_festival_voices())
    stretch = f"(Parameter.set 'Duration_Stretch {random.uniform(0.8, 1.25):.2f})"
    command = ("text2wave", "-eval", f"(voice_{voice})", "-eval", stretch, "-o", str(path))
    return Reading(f"festival-{voice}", command, random.uniform(*SIZES))


@cache
def _festival_voices() -> tuple[str, ...]:
    """Those of FESTIVAL that are installed."""
    asked = ["festival", "-b", "(print (voice.list))"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return tuple(voice for voice in FESTIVAL if voice in done.stdout.strip("()\n ").split())


def _can_speak(engine: str) -> bool:
    return shutil.which(_ENGINES[engine][0]) is not None and (
        engine != "festival" or bool(_festival_voices())
    )


_ENGINES: dict[str, tuple[str, Callable[[Random, Path], Reading]]] = {
    "flite": ("flite", _flite),
    "espeak-ng": ("espeak-ng", _espeak),
    "festival": ("text2wave", _festival),
}


def read_aloud(
    sentences: list[str], into: Path, seed: int, report: Callable[[str], None]
) -> Iterator[tuple[str, str, str]]:
    """Yield path, transcript and speaker of each sentence that could be said.

    Raises ModelError where the machine has no program that speaks.
    """
    random = Random(seed)
    engines = [name for name in _ENGINES if _can_speak(name)]
    if not engines:
        raise ModelError("nothing here can speak: install flite, espeak-ng or festival")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "speech.wav")
        for number, sentence in enumerate(sentences):
            name = random.choices(engines, [SHARES[engine] for engine in engines])[0]
            reading = _ENGINES[name][1](random, raw)
            try:
                raw.unlink(missing_ok=True)
                subprocess.run(
                    reading.command, input=sentence.encode(), check=True, capture_output=True
                )
                speech = _trimmed(raw, reading.size)
            except (subprocess.CalledProcessError, OSError, RuntimeError, ValueError) as error:
                report(f"left out: {reading.speaker} can't say “{sentence}”: {error}")
                continue
            path = f"{number:05d}.opus"
            soundfile.write(into / path, speech, RATE, format="OGG", subtype="OPUS")
            yield path, sentence, reading.speaker


def _trimmed(path: Path, size: float) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32")
    speech = np.asarray(soxr.resample(samples, rate * size, RATE), np.float32)
    loud = np.flatnonzero(np.abs(speech) > QUIET)
    if not len(loud):
        raise ValueError("silence")
    before, behind = (int(edge * RATE) for edge in EDGES)
    speech = speech[max(0, loud[0] - before) : loud[-1] + behind]
    return np.asarray(PEAK * speech / np.abs(speech).max(), np.float32)


def _sentences(
    domains: tuple[Path, ...], texts: tuple[Path, ...], count: int, seed: int
) -> list[str]:
    found: list[str] = []
    for domain in domains:
        examples = Domain.load(domain).sample(count * SAMPLED, seed=seed)
        found += choose([example.text for example in examples], count, seed)
    for text in texts:
        try:
            lines = text.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{text} cannot be read: {error}") from None
        found += choose(lines, count, seed)
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--domain", type=click.Path(path_type=Path), multiple=True, help="A domain's file.")
@click.option("--text", type=click.Path(path_type=Path), multiple=True, help="Texts, one a line.")
@click.option("--count", default=1000, help="Sentences of each domain and each file.")
@click.option("--seed", default=0)
@click.option("--into", type=click.Path(path_type=Path), required=True)
def main(
    domain: tuple[Path, ...], text: tuple[Path, ...], count: int, seed: int, into: Path
) -> None:
    """Read sentences of domains and texts aloud, in many voices, to train a speech model."""
    try:
        sentences = _sentences(domain, text, count, seed)
        into.mkdir(parents=True, exist_ok=True)
        with (into / "manifest.tsv").open("w", encoding="utf-8") as manifest:
            manifest.write("path\ttranscript\tspeaker\n")
            for row in read_aloud(sentences, into, seed, lambda line: click.echo(line, err=True)):
                manifest.write("\t".join(row) + "\n")
    except (IntentdError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    click.echo(f"{len(sentences)} sentences: {into}")


if __name__ == "__main__":
    main()
