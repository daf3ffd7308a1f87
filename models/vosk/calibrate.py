"""Measure what a recogniser's confidences are worth: ``python -m models.vosk.calibrate --help``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec
import numpy as np
import soundfile
import soxr

from models.errors import IntentdError, ModelError
from models.metrics.words import edits, plain
from models.suppression import strength_of, suppress
from models.vosk.assemble import Parts, assemble
from models.vosk.confidence import CONFIDENCE_FILE, fit, write_confidence
from models.vosk.recogniser import UNKNOWN_WORD, Hypothesis, Recogniser, SpeechModel

RATE = 16_000

folder = click.Path(file_okay=False, exists=True, path_type=Path)


class Recording(msgspec.Struct, frozen=True):
    """A line of the list."""

    audio: str
    text: str


def read_list(path: Path) -> list[Recording]:
    """The recordings of an NDJSON list; raises ModelError naming file and line."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} can't be read: {error}") from None
    for number, line in enumerate(lines, start=1):
        try:
            recording = msgspec.json.decode(line, type=Recording)
        except msgspec.DecodeError as error:
            raise ModelError(f"{path}, line {number}: {error}; give audio and text") from None
        audio = str(path.parent / recording.audio)
        found.append(msgspec.structs.replace(recording, audio=audio))
    return found


def hear(recogniser: Recogniser, audio: str, strength: float = 0.0) -> Hypothesis:
    """What is heard in a recording whose noise is suppressed with ``strength``.

    Raises ModelError where it can't be read.
    """
    try:
        samples, rate = soundfile.read(audio, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise ModelError(f"{audio} can't be read: {error}") from None
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)
    return recogniser.hear(suppress(mono, strength))


def judge(said: str, heard: Hypothesis) -> Iterator[tuple[float, bool]]:
    """Vosk's confidence in each word, and whether it was said there; "unknown" is no word."""
    right: list[bool] = []
    for edit in edits(said, heard.text) if said else ():
        right += [edit.kind == "equal"] * len(edit.actual.split())
    right += [False] * (len(heard.words) - len(right))
    for word, is_right in zip(heard.words, right, strict=True):
        if word.confidence is not None and word.word != UNKNOWN_WORD:
            yield word.confidence, is_right


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", type=folder)
@click.argument("lists", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--grammar", type=folder, help="Grammar that it is used with.")
@click.option(
    "--noise-suppression",
    type=click.FloatRange(0, 1),
    help="As the configuration has it; by default the daemon's own.",
)
def main(
    model: Path, lists: Sequence[Path], grammar: Path | None, noise_suppression: float | None
) -> None:
    """Write confidence.json into MODEL, or into the grammar.

    LISTS are NDJSON files, a recording a line: {"audio": "a.wav", "text": "turn it on"}. None of
    them may be among what the model was trained on.
    """
    target = grammar or model
    try:
        strength = strength_of(noise_suppression)
        recordings = [recording for path in lists for recording in read_list(path)]
        with tempfile.TemporaryDirectory() as scratch:
            made = assemble(Parts(base=model, grammar=grammar), Path(scratch))
            (made / CONFIDENCE_FILE).unlink(missing_ok=True)
            recogniser = SpeechModel(made).recogniser()
            words = [
                word
                for recording in recordings
                for word in judge(
                    plain(recording.text), hear(recogniser, recording.audio, strength)
                )
            ]
        found = fit([share for share, _ in words], [right for _, right in words])
        write_confidence(target, found)
    except IntentdError as error:
        click.echo(f"error: {error.message}", err=True)
        sys.exit(2)
    click.echo(
        f"{target}: {found.words} words in {len(recordings)} recordings, "
        f"{100 * np.mean([right for _, right in words]):.1f} % right; "
        f"expected calibration error {found.error_before:.3f}, now {found.error:.3f}"
    )


if __name__ == "__main__":
    main()
