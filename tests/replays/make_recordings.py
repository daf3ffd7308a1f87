"""Makes the shipped recordings from recordings.yaml with Debian's speech synthesizers.

    apt install espeak-ng flite festival festvox-kallpc16k festvox-us-slt-hts
    python tests/replays/make_recordings.py

Each domain becomes a folder of recordings, named after what they say, with an expect.ndjson for
``intentd replay --expect``; dictation has none, as nothing is understood. Needs
intentd's dependencies, no more.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
import yaml

HERE = Path(__file__).resolve().parent

SILENCE_BEFORE, SILENCE_AFTER = 0.3, 1.0
"""Seconds; the endpoint must fit into what follows."""

PEAK = 0.7
ROOM_NOISE = 0.0005
"""RMS of white noise below everything (-66 dBFS): no room is as quiet as digital zeros."""

WORDS_A_MINUTE = "150"
"""espeak-ng's own 175 is faster than people order."""

Samples = npt.NDArray[np.float32]


def main() -> None:
    """Make all recordings anew."""
    domains: dict[str, list[dict[str, Any]]] = yaml.safe_load(
        (HERE / "recordings.yaml").read_text(encoding="utf-8")
    )
    for domain, entries in domains.items():
        folder = HERE / domain
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        labels = [_make(entry, folder, seed) for seed, entry in enumerate(entries)]
        lines = [json.dumps(label) + "\n" for label in labels if "intent" in label]
        if lines:
            (folder / "expect.ndjson").write_text("".join(lines), encoding="utf-8")


def _make(entry: dict[str, Any], folder: Path, seed: int) -> dict[str, Any]:
    rate, channels = entry.get("rate", 16_000), entry.get("channels", 1)
    speech = soxr.resample(*_speak(entry["text"], entry["voice"]), rate)
    audio = _in_a_room(speech, rate, channels, np.random.default_rng(seed))
    name = entry["text"].replace("'", "").replace(" ", "-") + "." + entry["format"]
    _write(folder / name, audio, rate, entry["format"])
    label = {"audio": name, "text": entry["text"]}
    if "intent" not in entry:
        return label  # dictation: there is nothing to understand
    label["intent"] = entry["intent"]
    if entry["intent"] is None:
        del label["text"]  # what is heard of a sentence outside the domain is nobody's business
        return label
    return label | {"slots": entry.get("slots", {})}


def _speak(text: str, voice: str) -> tuple[Samples, int]:
    program, name = voice.split("/")
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder, "speech.wav"))
        command = {
            "espeak-ng": ["espeak-ng", "-v", name, "-s", WORDS_A_MINUTE, "-w", wav, text],
            "flite": ["flite", "-voice", name, "-t", text, "-o", wav],
            "festival": ["text2wave", "-o", wav, "-eval", f"(voice_{name})"],
        }[program]
        given = text if program == "festival" else None
        # flite's rms voice complains on standard error about a unit that it then replaces.
        subprocess.run(command, input=given, text=True, check=True, stderr=subprocess.DEVNULL)
        samples, rate = soundfile.read(wav, dtype="float32")
    return samples, rate


def _in_a_room(speech: Samples, rate: int, channels: int, random: np.random.Generator) -> Samples:
    """(n, channels): the speech with silence around it and a little noise on every channel."""
    before, after = round(SILENCE_BEFORE * rate), round(SILENCE_AFTER * rate)
    scaled = speech * (PEAK / np.abs(speech).max())
    padded = np.pad(scaled, (before, after)).astype(np.float32)
    noise = random.normal(scale=ROOM_NOISE, size=(len(padded), channels)).astype(np.float32)
    return padded[:, None] + noise


def _write(path: Path, audio: Samples, rate: int, kind: str) -> None:
    options: dict[str, Any] = {
        "wav": {"format": "WAV", "subtype": "PCM_16"},
        "flac": {"format": "FLAC", "subtype": "PCM_16"},
        "ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.6},
        "opus": {"format": "OGG", "subtype": "OPUS", "compression_level": 0.6},
        "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": 0.6},
    }[kind]
    soundfile.write(path, audio, rate, **options)


if __name__ == "__main__":
    main()
