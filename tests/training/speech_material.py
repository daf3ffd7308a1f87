"""Speech for the tests of training: tones in place of phones, so that a run takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import yaml

RATE = 16_000
TONES = {"AA": 400.0, "IY": 2500.0, "S": 5500.0}


def write_corpus(folder: Path, utterances: int = 40, *bad_lines: str) -> Path:
    """A manifest with recordings of random tones by ten speakers; returns its path."""
    rng = np.random.default_rng(11)
    lines = ["path\ttranscript\tspeaker\tphones"]
    names = sorted(TONES)
    for number in range(utterances):
        phones = [names[i] for i in rng.integers(len(names), size=rng.integers(3, 7))]
        gap = np.zeros(RATE // 10)
        parts = [gap]
        for phone in phones:
            time = np.arange(RATE // 10) / RATE
            parts += [0.3 * np.sin(2 * np.pi * TONES[phone] * time), gap]
        samples = np.concatenate(parts) + rng.normal(size=sum(map(len, parts))) * 1e-3
        soundfile.write(folder / f"{number}.wav", samples, RATE)
        lines.append(f"{number}.wav\ttones\tspeaker{number % 10}\t{' '.join(phones)}")
    manifest = folder / "manifest.tsv"
    manifest.write_text("\n".join([*lines, *bad_lines, ""]), encoding="utf-8")
    return manifest


def write_configuration(folder: Path, manifest: Path, **training: object) -> Path:
    """A configuration of a small network; ``training`` takes the place of its schedule's keys."""
    schedule = {
        "epochs": 4,
        "learning_rate": 0.01,
        "warm_up": 2,
        "batch_frames": 600,
        "threads": 1,
        "device": "cpu",
        "half": False,
    }
    configuration = {
        "out": "run",
        "cache": "cache",
        "speech": [{"manifest": str(manifest)}],
        "held_out": 30,
        "copies": 1,
        "augmentation": {"noise": 0, "room": 0, "bandwidth": 0, "babble": 0},
        "network": {"width": 16, "dilations": [1], "dropout": 0.1},
        "training": schedule | training,
    }
    path = folder / "speech.yaml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    return path
