"""``python -m fuzz.one TARGET FOLDER [LIBFUZZER OPTIONS]``: one target under atheris."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["models", "stages", "pipeline"]):
    from fuzz.targets import TARGETS

INPUT_SECONDS = 120
"""By the clock on the wall, and the processor may be busy with other things: an input that takes
longer is a finding."""


def main() -> None:
    """Fuzz until the options say that it is enough; a finding ends the process with 77."""
    name, folder, *options = sys.argv[1:]
    target = TARGETS[name]
    corpus = Path(folder) / name
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(target.seeds()):
        (corpus / f"seed-{index}").write_bytes(seed)
    logging.disable()
    # libsndfile and FFmpeg print what they think of bad input.
    if name in {"recordings", "opus"}:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limits = [f"-max_len={target.max_length}", f"-timeout={INPUT_SECONDS}"]
    atheris.Setup([sys.argv[0], str(corpus), *limits, *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
