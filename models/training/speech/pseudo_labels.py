"""Transcripts for recordings that have none, by a far larger recogniser.

    python -m models.training.speech.pseudo_labels manifest.tsv FOLDER [--held-out 4]

Rows of the manifest without a transcript are heard by Moonshine (Jeffries et al., 2024; its
smallest English model, 26 M parameters, MIT licence), which lies in the wheel of moonshine-voice
0.1.0 (``pip install "intentd[label]"``; later wheels fetch it from the network). Written are
``training.tsv`` and, of every so many-th speaker, ``held-out.tsv``, both with absolute paths. A
text with digits is left out: nobody knows how they were read. Rows that have a transcript tell how
good the labels are: the word errors of the first 40 are reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from models.errors import ModelError
from models.metrics.words import word_errors
from models.training.speech.audio import RATE, AudioError, Samples, read_speech
from models.training.speech.manifest import Problems, Row, read_rows
from models.training.speech.transcript import TranscriptError, split_words

CHECKED = 40
"""Rows with a transcript that tell how good the labels are."""

SPOKEN = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
"""Abbreviations as they are read aloud."""

_INVENTED = re.compile(r"^You (?=[A-Z])")
"""What Moonshine often puts before a text whose first sound is cut."""

Listen = Callable[[Samples], str]


def labels_of(text: str) -> str:
    """A written text as the words that were said; raises TranscriptError where that is unknown."""
    words = re.split(r"[\s\-–—]+", _INVENTED.sub("", text))
    spoken = (SPOKEN.get(word.lower().strip(".,"), word) for word in words)
    return " ".join(split_words(" ".join(spoken)))


def moonshine() -> Listen:
    """The recogniser. Raises ModelError where it is not installed."""
    try:
        import moonshine_voice
    except ImportError:
        raise ModelError('transcribing needs Moonshine: pip install "intentd[label]"') from None
    folder = Path(moonshine_voice.__file__).parent / "assets" / "tiny-en"
    if not (folder / "encoder_model.ort").is_file():
        raise ModelError(f"{folder} has no model: install moonshine-voice==0.1.0")
    model: Any = moonshine_voice.Transcriber(str(folder), moonshine_voice.ModelArch.TINY)

    def listen(samples: Samples) -> str:
        lines = model.transcribe_without_streaming(samples.tolist(), RATE).lines
        return " ".join(line.text for line in lines)

    return listen


def transcribe(rows: Sequence[Row], folder: Path, listen: Listen, problems: Problems) -> list[Row]:
    """Rows with what was heard as their transcript; the others go to ``problems``."""
    found = []
    for row in rows:
        path = (folder / row.cells["path"]).resolve()
        try:
            words = labels_of(listen(read_speech(path)))
        except (AudioError, TranscriptError) as error:
            problems.add(row.place, str(error))
            continue
        found.append(Row(row.place, {**row.cells, "path": str(path), "transcript": words}))
    return found


def write_manifest(path: Path, rows: Sequence[Row]) -> None:
    """Write a manifest that the trainer reads."""
    lines = ["path\ttranscript\tspeaker"]
    lines += ["\t".join(row.cells[c] for c in ("path", "transcript", "speaker")) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--held-out", default=4, show_default=True, type=click.IntRange(min=2))
def main(manifest: Path, folder: Path, held_out: int) -> None:
    """Transcribe the rows of MANIFEST that have no transcript, into two manifests in FOLDER."""
    problems = Problems()
    try:
        rows = list(read_rows(manifest, problems))
        listen = moonshine()
    except ModelError as error:
        raise click.ClickException(error.message) from None
    known = [row for row in rows if row.cells["transcript"].strip()][:CHECKED]
    checked = {row.place: row for row in transcribe(known, manifest.parent, listen, problems)}
    errors = word_errors(
        [row.cells["transcript"].lower() for row in known if row.place in checked],
        [row.cells["transcript"] for row in checked.values()],
    )
    if errors is not None:
        click.echo(f"word errors on {errors.texts} rows that had a transcript: {errors.wer}")
    unknown = [row for row in rows if not row.cells["transcript"].strip()]
    found = transcribe(unknown, manifest.parent, listen, problems)
    speakers = sorted({row.cells["speaker"] for row in found})
    kept_out = set(speakers[::held_out])
    for name, out in (("training.tsv", False), ("held-out.tsv", True)):
        part = [row for row in found if (row.cells["speaker"] in kept_out) == out]
        write_manifest(folder / name, part)
        click.echo(f"{folder / name}: {len(part)} recordings")
    for line in problems.report():
        click.echo(line, err=True)


if __name__ == "__main__":
    main()
