"""Vosk models and recognisers: text with word times and confidences from 16 kHz audio.

Wraps vosk 0.3.45 (https://alphacephei.com/vosk, Apache 2.0). A model is loaded once and shared;
a recogniser belongs to one stream and one thread. Everything that would make the library end the
process (a missing file, a grammar set in the middle of an utterance) is ruled out here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import vosk

from models.catalogue import check_layout
from models.errors import ModelError
from models.native_messages import held_back
from models.vosk.confidence import Confidence, read_confidence

UNKNOWN_WORD = "[unk]"
"""What Vosk writes for speech outside the grammar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedWord:
    """A word with its place in the audio that was fed since the utterance began, in seconds."""

    word: str
    start: float
    end: float
    confidence: float | None
    """Probability that it was said, where the model or grammar has a ``confidence.json``; else the
    share of Vosk's lattice that has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """What was heard in an utterance."""

    text: str
    words: tuple[RecognisedWord, ...]
    alternatives: tuple[str, ...] | None
    """N-best texts, best first, when they were asked for."""


class SpeechModel:
    """A Vosk model directory, loaded.

    ``name`` is what errors call it, where ``path`` was put together from parts. Raises ModelError
    naming the file that is missing.
    """

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        check_layout(path)
        vosk.SetLogLevel(-1)
        try:
            with held_back():
                self._model = vosk.Model(model_path=str(path))
        except Exception as error:
            raise ModelError(
                f"{name or path}: Vosk can't load this model; a file in it is damaged "
                "(mend: intentd models verify, or pull it again)"
            ) from error
        self._confidence = read_confidence(path)
        self.path = path
        self.id = identity(path)

    def has_word(self, word: str) -> bool:
        """True when the model's lexicon has ``word``."""
        return int(self._model.vosk_model_find_word(word)) >= 0

    def missing(self, words: Iterable[str]) -> list[str]:
        """Those of ``words`` that the model can't recognise, sorted."""
        return sorted(word for word in set(words) if not self.has_word(word))

    def recogniser(self, *, phrases: Sequence[str] | None = None, nbest: int = 0) -> Recogniser:
        """A recogniser of this model.

        ``phrases`` make a run-time grammar (the model needs a look-ahead graph); everything else
        is then heard as ``[unk]``. ``nbest`` asks for so many texts instead of confidences.
        """
        if phrases is None:
            inner = vosk.KaldiRecognizer(self._model, 16_000)
            return Recogniser(inner, nbest, self._confidence)
        grammar = json.dumps([*phrases, UNKNOWN_WORD])
        return Recogniser(vosk.KaldiRecognizer(self._model, 16_000, grammar), nbest)


class Recogniser:
    """Recognises one utterance after the other of one stream."""

    def __init__(self, inner: Any, nbest: int, confidence: Confidence | None = None) -> None:
        self._inner = inner
        self._confidence = confidence
        self._nbest = nbest
        inner.SetWords(True)
        inner.SetMaxAlternatives(nbest)
        self._fed = 0
        self._begin = 0
        self._parts: list[Hypothesis] = []

    def accept(self, pcm: bytes) -> None:
        """Feed int16 mono samples at 16 kHz."""
        self._fed += len(pcm) // 2
        # Vosk's own endpoint rules may end a part of a long utterance; the segmenter decides
        # where the utterance ends.
        if self._inner.AcceptWaveform(pcm):
            self._parts.append(self._read(self._inner.Result()))

    @property
    def seconds(self) -> float:
        """Audio that it was fed since it was made."""
        return self._fed / 16_000

    def partial(self) -> str:
        """What has been heard of the utterance so far."""
        rest = json.loads(self._inner.PartialResult()).get("partial", "")
        return " ".join(part for part in (*(p.text for p in self._parts), rest) if part)

    def finish(self) -> Hypothesis:
        """End the utterance: the best hypothesis, and the recogniser is ready for the next."""
        self._parts.append(self._read(self._inner.FinalResult()))
        parts = [part for part in self._parts if part.text] or self._parts[-1:]
        self._parts = []
        self._begin = self._fed
        if len(parts) == 1:
            return parts[0]
        texts = [part.alternatives or (part.text,) for part in parts]
        return Hypothesis(
            text=" ".join(part.text for part in parts),
            words=tuple(word for part in parts for word in part.words),
            alternatives=None if not self._nbest else (" ".join(t[0] for t in texts),),
        )

    def hear(self, samples: npt.NDArray[np.floating]) -> Hypothesis:
        """An utterance of mono samples [time] at 16 kHz, full scale ±1."""
        self.accept((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return self.finish()

    def _read(self, result: str) -> Hypothesis:
        data = json.loads(result)
        if not self._nbest:
            return Hypothesis(
                text=data.get("text", "").strip(),
                words=self._words(data.get("result", [])),
                alternatives=None,
            )
        found = data.get("alternatives", [])
        best = found[0] if found else {}
        return Hypothesis(
            text=best.get("text", "").strip(),
            words=self._words(best.get("result", [])),
            alternatives=tuple(dict.fromkeys(a["text"].strip() for a in found)),
        )

    def _words(self, found: list[dict[str, Any]]) -> tuple[RecognisedWord, ...]:
        offset = self._begin / 16_000
        return tuple(
            RecognisedWord(
                word=word["word"],
                start=max(0.0, word["start"] - offset),
                end=max(0.0, word["end"] - offset),
                confidence=self._probability(word.get("conf")),
            )
            for word in found
        )

    def _probability(self, share: float | None) -> float | None:
        if share is None or self._confidence is None:
            return share
        return self._confidence.probability(share)


def identity(path: Path) -> str:
    """``name@version`` of a model folder from model.json, else the folder's name."""
    try:
        data = json.loads((path / "model.json").read_text())
        return f"{data['name']}@{data['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        return path.name
