"""The report: one page that needs nothing but itself, with the sound of what failed."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import soundfile
from msgspec import UNSET

from pipeline.evaluation.causes import Failure
from pipeline.evaluation.document import Evaluation, write_document
from pipeline.evaluation.labels import LabelledRecording
from pipeline.evaluation.mixing import mix
from pipeline.evaluation.outcome import Meaning, Outcome
from pipeline.evaluation.working import Job
from stages.messages import SAMPLE_RATE
from stages.sources.decoding import decode

SOUND_BYTES: Final = 12_000_000
"""Sound that a page holds at most; what would help least comes last and goes without."""

COMPRESSION: Final = 0.9
"""About 32 kbit/s: small, and speech stays clear. MP3 is what every browser plays."""

ASSETS: Final = Path(__file__).parent / "assets"


def write_report(evaluation: Evaluation, job: Job, folder: Path) -> Path:
    """Write ``evaluation.json`` and ``report.html``; returns the page's path."""
    write_document(evaluation, folder / "evaluation.json")
    page = folder / "report.html"
    page.write_text(make_page(evaluation, job), encoding="utf-8")
    return page


def make_page(evaluation: Evaluation, job: Job) -> str:
    """The page as HTML. Sounds are mixed anew, exactly as they were evaluated."""
    payload = {
        "about": {
            name: getattr(evaluation, name)
            for name in ("intentd", "created", "data", "configuration", "models", "thresholds")
        },
        "recordings": evaluation.statistics.num_wavs,
        "seconds": evaluation.audio_seconds,
        "conditions": [
            {"snr": condition.snr, "noise": condition.noise, **msgspec.to_builtins(found)}
            for condition, found in zip(job.conditions, evaluation.conditions, strict=True)
        ],
        "causes": list(_causes(evaluation, job)),
    }
    data = msgspec.json.encode(payload).decode()
    template = (ASSETS / "report.html").read_text(encoding="utf-8")
    parts = {
        "title": html.escape(f"{Path(evaluation.data).name} · {evaluation.configuration}"),
        "style": (ASSETS / "report.css").read_text(encoding="utf-8"),
        "script": "".join(
            (ASSETS / name).read_text(encoding="utf-8") for name in ("charts.js", "report.js")
        ),
        # A label may hold anything, "</script>" too.
        "data": data.replace("<", "\\u003c"),
    }
    for name, text in parts.items():
        template = template.replace(f"<!--{name}-->", text)
    return template


def _causes(evaluation: Evaluation, job: Job) -> Iterator[dict[str, Any]]:
    outcomes = {(o.audio, o.condition): o for o in evaluation.recordings}
    recordings = {recording.name: recording for recording in job.recordings}
    sounds = _Sounds(job)
    for cause in evaluation.causes:
        yield {
            "kind": cause.kind,
            "what": cause.what,
            "help": cause.help,
            "failures": [
                _failure(
                    failure,
                    outcomes[failure.audio, failure.condition],
                    sounds.of(recordings[failure.audio], failure.condition),
                )
                for failure in cause.failures
            ],
        }


def _failure(failure: Failure, outcome: Outcome, sound: str | None) -> dict[str, Any]:
    label, read = outcome.expected, outcome.read
    return {
        **msgspec.to_builtins(failure),
        "text": None if label.text is UNSET else label.text,
        "heard": outcome.actual.text,
        "intent": "" if label.intent is UNSET else label.intent,
        "actual": outcome.actual.intent,
        "guess": outcome.actual.guess,
        "confidence": outcome.actual.confidence,
        "utterances": outcome.actual.utterances,
        "commands": outcome.actual.commands,
        "read": _read(read) if isinstance(read, Meaning) else None,
        "sound": sound,
    }


def _read(read: Meaning) -> dict[str, Any]:
    return {"intent": read.intent, "slots": {slot.name: slot.raw for slot in read.slots}}


class _Sounds:
    """Recordings as data URIs, until the page is full."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._conditions = {condition.name: condition for condition in job.conditions}
        self._left = SOUND_BYTES

    def of(self, recording: LabelledRecording, condition: str) -> str | None:
        if self._left <= 0:
            return None
        pcm = mix(
            b"".join(decode(recording.path)),
            self._conditions[condition],
            name=recording.name,
            seed=self._job.seed,
        )
        file = io.BytesIO()
        soundfile.write(
            file,
            np.frombuffer(pcm, "<i2"),
            SAMPLE_RATE,
            format="MP3",
            subtype="MPEG_LAYER_III",
            bitrate_mode="CONSTANT",
            compression_level=COMPRESSION,
        )
        self._left -= file.tell()
        return "data:audio/mpeg;base64," + base64.b64encode(file.getvalue()).decode()
