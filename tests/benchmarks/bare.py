"""The libraries without the daemon: suppressor, speech model, network, tokenizer, opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import vosk

from models.catalogue import find
from models.mobilebert.labels import Labels, read_labels
from models.mobilebert.session import EncoderSession
from models.mobilebert.tokens import WordTokenizer
from models.suppression import NoiseSuppressor, strength_of
from pipeline.configuration import Configuration
from pipeline.loading import load_configuration
from stages.messages import SAMPLE_RATE
from stages.transcriber import assemble_model
from tests.benchmarks.settings import NAME


class BareLibraries:
    """RNNoise, Vosk's recogniser, the tokenizer and the network's session, and nothing else."""

    def __init__(self) -> None:
        self.settings: Configuration = load_configuration(NAME)
        transcriber = self.settings.transcriber
        vosk.SetLogLevel(-1)
        path = assemble_model(transcriber.model, transcriber.grammar)
        self.recogniser: Any = vosk.KaldiRecognizer(vosk.Model(str(path)), SAMPLE_RATE)
        self.recogniser.SetWords(True)
        strength = strength_of(transcriber.noise_suppression)
        self._suppressor = NoiseSuppressor(strength) if strength else None
        self._open_network(find(self.settings.understanders[0].model))

    def _open_network(self, folder: Path) -> None:
        labels: Labels = read_labels(folder)
        if labels.base is not None:  # the network that its small heads stand on
            folder = find(labels.base.partition("@")[0])
            labels = read_labels(folder)
        self.tokenizer = WordTokenizer.load(folder, labels.max_tokens)
        self.session = EncoderSession(
            folder / labels.model, [head.output for head in labels.heads], threads=1
        )

    def accept(self, pcm: bytes) -> None:
        """A piece of the utterance."""
        self.recogniser.AcceptWaveform(self._suppressor.process(pcm) if self._suppressor else pcm)

    def finish(self) -> str:
        """The text of the utterance, after the network has read it."""
        if self._suppressor:
            self.recogniser.AcceptWaveform(self._suppressor.finish())
        text = str(json.loads(self.recogniser.FinalResult())["text"])
        if text:
            self.session.run(self.tokenizer.encode(text).ids)
        return text
