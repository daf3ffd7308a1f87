"""The transcriber: utterances in, transcripts out, through Vosk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import platformdirs

from models.catalogue import find
from models.domain import Domain
from models.errors import ModelError
from models.suppression import NoiseSuppressor, strength_of
from models.vosk.assemble import Parts, assemble
from models.vosk.decoding import decoding_options
from models.vosk.recogniser import Hypothesis, Recogniser, SpeechModel
from stages.messages import (
    SAMPLE_RATE,
    EndOfStream,
    Endpoint,
    ErrorReport,
    Partial,
    Progress,
    Span,
    SpeechChunk,
    StageMessage,
    Transcript,
    Word,
)

GRAMMAR_SEED: Final = 7
"""Seed of the sentences that a run-time grammar is made from."""

RECYCLE_SECONDS: Final = 600.0
"""A recogniser that was fed so much audio is replaced at the next idle moment."""

LONGEST_GAP_SECONDS: Final = 5
"""More lost audio than this is not made good with silence."""


NO_GRAMMAR: Final = ("none", "auto")
"""``auto`` that reaches this stage found nothing that was trained."""


def assemble_model(
    model: str,
    grammar: str,
    cache: Path | None = None,
    *,
    beam: float | None = None,
    grammar_weight: float = 1.0,
) -> Path:
    """The folder of a model, put together with a compiled grammar where one is named.

    ``cache`` is where that happens; None for the user's cache directory. ``beam`` and
    ``grammar_weight`` are those of ``decoding_options``. Raises ModelError.
    """
    where = cache or Path(platformdirs.user_cache_dir("intentd"))
    compiled = None if grammar in (*NO_GRAMMAR, "domain") else find(grammar)
    base = find(model)
    options = decoding_options(base, beam=beam, grammar_weight=grammar_weight)
    return assemble(Parts(base=base, grammar=compiled, options=options), where)


class Transcriber:
    """Turns each stream's utterances into text. A stream keeps its own recogniser.

    ``model`` and ``grammar`` are names or folders; see ``TranscriberSection`` for what the
    other parameters mean. ``cache`` is where model folders of several parts are put together.
    """

    def __init__(
        self,
        *,
        model: str,
        grammar: str = "none",
        domain: Path | None = None,
        grammar_sentences: int = 1500,
        nbest: int = 0,
        partials: bool = True,
        beam: float | None = None,
        grammar_weight: float = 1.0,
        noise_suppression: float | None = None,
        cache: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model_name = model
        self._grammar = grammar
        self._domain_path = domain
        self._grammar_sentences = grammar_sentences
        self._nbest = nbest
        self._partials = partials
        self._beam = beam
        self._grammar_weight = grammar_weight
        self._noise_suppression = noise_suppression
        self._strength = 0.0
        self._cache = cache
        self._clock = clock
        self._model: SpeechModel | None = None
        self._phrases: list[str] | None = None
        self._streams: dict[str, _StreamTranscriber] = {}
        self._idle: list[Recogniser] = []

    def open(self) -> Iterable[StageMessage]:
        """Load the model and make one recogniser, so that the first utterance need not wait.

        Raises ModelError. Words of the grammar that the model lacks are reported, by name.
        """
        folder = assemble_model(
            self._model_name,
            self._grammar,
            self._cache,
            beam=self._beam,
            grammar_weight=self._grammar_weight,
        )
        self._model = SpeechModel(folder, name=self._model_name)
        self._strength = strength_of(self._noise_suppression)
        missing: list[str] = []
        if self._domain_path is not None and self._grammar not in NO_GRAMMAR:
            domain = Domain.load(self._domain_path)
            missing = self._model.missing(domain.words())
            if self._grammar == "domain":
                self._phrases = self._make_phrases(domain, set(missing))
        self._warm_up()
        if not missing:
            return ()
        return (
            ErrorReport(
                source="",
                stream="",
                code="words-missing",
                detail=f"the speech model {self._model.id} lacks these words of the domain and "
                f"will never hear them: {', '.join(missing)}",
                count=len(missing),
            ),
        )

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Speech becomes partials and transcripts; anything else passes."""
        match message:
            case SpeechChunk():
                return self._hear(message)
            case Endpoint():
                return self._end(message)
            case EndOfStream():
                stream = self._streams.pop(message.stream, None)
                if stream is not None and not stream.open and self._fresh(stream):
                    self._idle.append(stream.recogniser)
                return (message,)
            case Progress():
                self._recycle(message.stream)
                return (message,)
            case _:
                return (message,)

    def forget(self, source: str) -> None:
        """Drop what is unfinished of a source, which sends it again."""
        for stream in self._streams.values():
            if stream.source == source:
                stream.finish()

    def describe(self) -> dict[str, str]:
        """Its model."""
        return {"asr": self._model.id} if self._model else {}

    def _fresh(self, stream: _StreamTranscriber) -> bool:
        return stream.recogniser.seconds < RECYCLE_SECONDS

    def _recycle(self, name: str) -> None:
        """While nobody speaks: a recogniser keeps growing and its clock loses precision."""
        stream = self._streams.get(name)
        if stream is not None and not stream.open and not self._fresh(stream):
            stream.recogniser = self._new_recogniser()

    def close(self) -> None:
        """Let go of the recognisers, then of the model."""
        self._streams.clear()
        self._idle.clear()
        self._model = None

    def _make_phrases(self, domain: Domain, missing: set[str]) -> list[str]:
        examples = domain.sample(self._grammar_sentences, GRAMMAR_SEED)
        sentences = dict.fromkeys(example.text for example in examples)
        heard = {word for sentence in sentences for word in sentence.split()}
        usable = [s for s in sentences if not missing.intersection(s.split())]
        if not usable:
            raise ModelError(
                f"the speech model {self._model_name} knows the words of no sentence of domain "
                f"{domain.name}; choose another model"
            )
        return usable + sorted(domain.words() - heard - missing)

    def _warm_up(self) -> None:
        recogniser = self._new_recogniser()
        recogniser.accept(bytes(SAMPLE_RATE))
        recogniser.finish()
        self._idle.append(recogniser)

    def _new_recogniser(self) -> Recogniser:
        assert self._model is not None
        return self._model.recogniser(phrases=self._phrases, nbest=self._nbest)

    def _hear(self, chunk: SpeechChunk) -> Iterator[StageMessage]:
        stream = self._streams.get(chunk.stream)
        if stream is None:
            recogniser = self._idle.pop() if self._idle else self._new_recogniser()
            suppressor = NoiseSuppressor(self._strength) if self._strength else None
            stream = _StreamTranscriber(recogniser, chunk.source, suppressor)
            self._streams[chunk.stream] = stream
        stream.take(chunk)
        if self._partials and stream.changed():
            yield Partial(
                source=chunk.source,
                stream=chunk.stream,
                file=chunk.file,
                id=chunk.id,
                text=stream.text,
            )

    def _end(self, endpoint: Endpoint) -> Iterator[StageMessage]:
        stream = self._streams.get(endpoint.stream)
        begun = self._clock()
        heard = stream.finish() if stream else None
        names = {"source": endpoint.source, "stream": endpoint.stream, "file": endpoint.file}
        if stream is None or heard is None or not heard.text:
            yield Progress(
                **names,  # type: ignore[arg-type]
                position=endpoint.position,
                checkpoint=endpoint.checkpoint,
            )
            return
        assert self._model is not None
        yield Transcript(
            **names,  # type: ignore[arg-type]
            id=endpoint.id,
            text=heard.text,
            words=tuple(stream.place(heard)),
            transcripts=heard.alternatives,
            speech=Span(
                start=round(endpoint.start / SAMPLE_RATE, 3),
                end=round(endpoint.end / SAMPLE_RATE, 3),
            ),
            position=endpoint.position,
            checkpoint=endpoint.checkpoint,
            captured=endpoint.captured,
            decided=endpoint.decided,
            lost=endpoint.lost,
            timings={
                "endpoint": endpoint.trailing * 1000,
                "transcribe": (self._clock() - begun) * 1000,
            },
            models={"asr": self._model.id},
        )


class _StreamTranscriber:
    """State of one stream: its recogniser, where the utterance began, what was last told.

    The suppressor begins anew with each utterance, as the recogniser does.
    """

    def __init__(
        self, recogniser: Recogniser, source: str, suppressor: NoiseSuppressor | None
    ) -> None:
        self.recogniser = recogniser
        self.source = source
        self._suppressor = suppressor
        self.open = False
        self.text = ""
        self._origin = 0
        self._next = 0

    def take(self, chunk: SpeechChunk) -> None:
        if chunk.first or not self.open:
            self.finish()
            self.open, self.text, self._origin = True, "", chunk.position
        elif chunk.position > self._next:
            # Audio was lost in between: silence in its place keeps the times of the words right.
            missing = min(chunk.position - self._next, LONGEST_GAP_SECONDS * SAMPLE_RATE)
            self._accept(bytes(2 * missing))
        self._accept(chunk.pcm)
        self._next = chunk.position + len(chunk.pcm) // 2

    def changed(self) -> bool:
        text = self.recogniser.partial()
        if not text or text == self.text:
            return False
        self.text = text
        return True

    def finish(self) -> Hypothesis | None:
        if not self.open:
            return None
        self.open = False
        if self._suppressor is not None:
            self.recogniser.accept(self._suppressor.finish())
        return self.recogniser.finish()

    def _accept(self, pcm: bytes) -> None:
        self.recogniser.accept(self._suppressor.process(pcm) if self._suppressor else pcm)

    def place(self, heard: Hypothesis) -> Iterator[Word]:
        """The words, timed from the start of the stream."""
        offset = self._origin / SAMPLE_RATE
        for word in heard.words:
            yield Word(
                word=word.word,
                start=round(word.start + offset, 3),
                end=round(word.end + offset, 3),
                confidence=None if word.confidence is None else round(word.confidence, 4),
            )
