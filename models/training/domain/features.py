"""What a base sees in many texts, computed once and kept on disk in chunks.

Only what heads read is kept, as float16: of each text the vector that a head over texts takes,
of each word the state of its first piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from models.mobilebert.encoder import Encoder
from models.mobilebert.small_heads import text_features

CHUNK = 400
"""Texts in a file: what a run that is broken off loses at most."""

Half = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Features:
    """Of some texts, one behind the other."""

    texts: Half
    """[texts, inputs of a head over texts]."""

    words: Half
    """[words of all texts, size of a state]."""

    counts: npt.NDArray[np.intp]
    """Words of each text, as the base sees them [texts]."""


class FeatureMaker:
    """Computes features with one base, several texts at a time."""

    def __init__(self, base: Path, cache: Path, jobs: int) -> None:
        """``base`` is a base's folder, ``cache`` where chunks are kept. Raises ModelError."""
        self._encoders = [Encoder.load(base) for _ in range(jobs)]
        self._pool = ThreadPoolExecutor(jobs)
        self._cache = cache
        self._base = base_hash(base)

    @property
    def encoder(self) -> Encoder:
        """One of its encoders."""
        return self._encoders[0]

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] = lambda _: None
    ) -> Features:
        """Features of ``texts``; ``progress`` is told how many more are done."""
        self._cache.mkdir(parents=True, exist_ok=True)
        parts = []
        for at in range(0, len(texts), CHUNK):
            chunk = texts[at : at + CHUNK]
            parts.append(self._chunk(chunk))
            progress(len(chunk))
        return Features(
            np.concatenate([part.texts for part in parts]),
            np.concatenate([part.words for part in parts]),
            np.concatenate([part.counts for part in parts]),
        )

    def _chunk(self, texts: Sequence[str]) -> Features:
        digest = hashlib.sha256("\n".join((self._base, *texts)).encode())
        path = self._cache / f"{digest.hexdigest()[:24]}.npz"
        found = _read(path)
        if found is not None:
            return found
        found = self._compute(texts)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.savez(file, texts=found.texts, words=found.words, counts=found.counts)
        temporary.replace(path)
        return found

    def _compute(self, texts: Sequence[str]) -> Features:
        jobs = len(self._encoders)
        shares = self._pool.map(_encode, self._encoders, [texts[job::jobs] for job in range(jobs)])
        rows: list[tuple[Half, Half]] = [(np.empty(0, np.float16),) * 2] * len(texts)
        for job, share in enumerate(shares):
            rows[job::jobs] = share
        return Features(
            np.stack([text for text, _ in rows]),
            np.concatenate([words for _, words in rows]),
            np.array([len(words) for _, words in rows], np.intp),
        )


def base_hash(base: Path) -> str:
    """Hash of a base's network, in hexadecimal: heads fit one network alone."""
    return hashlib.sha256((base / "model.onnx").read_bytes()).hexdigest()


def _encode(encoder: Encoder, texts: Sequence[str]) -> list[tuple[Half, Half]]:
    found = []
    for text in texts:
        one = encoder.encode_text(text)
        whole = text_features(one.states, one.embedding).astype(np.float16)
        found.append((whole, one.states[one.encoding.pieces].astype(np.float16)))
    return found


def _read(path: Path) -> Features | None:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return Features(file["texts"], file["words"], file["counts"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
