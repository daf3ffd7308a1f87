"""One stream of audio, cut into utterances: windows, the pre-roll, the open utterance."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from ulid import ULID

from models.vad import WINDOW_BYTES, WINDOW_SAMPLES, VoiceActivityDetector
from stages.endpointing import Boundary, Endpointer, EndpointRule
from stages.gate import EnergyGate, levels
from stages.messages import (
    SAMPLE_RATE,
    AudioBlock,
    EndOfStream,
    Endpoint,
    Progress,
    Resume,
    SpeechChunk,
    StageMessage,
)

CHUNK_WINDOWS: Final = 6
"""Windows that are sent on together: 0.19 s, about the step in which Vosk decodes."""

PROGRESS_WINDOWS: Final = 62
"""While nothing is said, the source is told every so many windows (2 s) that nothing is due."""

WARM_UP_WINDOWS: Final = 16
"""Windows from before the gate opened that the network is shown, so that its state is right."""


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """What a segmenter remembers between two utterances, less the audio."""

    origin: int
    captured: float
    detector: bytes
    gate: list[float]
    asleep: bool
    run: int
    idle: int
    recent: int
    """How many windows of audio it kept."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Checkpoint)


class StreamSegmenter:
    """State of one stream: windows not yet complete, the pre-roll, the open utterance."""

    def __init__(
        self,
        first: AudioBlock | Resume,
        rule: EndpointRule,
        pre_roll: int,
        gate: bool,
        clock: Callable[[], float],
    ) -> None:
        self._vad = VoiceActivityDetector()
        self._endpointer = Endpointer(rule)
        self._rule = rule
        self._gate = EnergyGate() if gate else None
        self._asleep = False
        self._clock = clock
        self._names = {"source": first.source, "stream": first.stream, "file": first.file}
        self._captured = first.captured if isinstance(first, AudioBlock) else 0.0
        self._origin = first.position
        self._position = first.position
        self._rest = b""
        keep = pre_roll + rule.start
        self._recent: deque[bytes] = deque(maxlen=max(keep, WARM_UP_WINDOWS))
        self._keep = keep
        self._id = ""
        self._first = False
        self._start = 0
        self._sent = 0
        self._chunk: list[bytes] = []
        self._lost = 0
        self._idle = 0
        self._heard = self._captured
        if isinstance(first, Resume):
            self._resume(first)

    @property
    def source(self) -> str:
        """Name of the source."""
        return str(self._names["source"])

    def end(self) -> EndOfStream:
        """What ends the stream where the source can't say it any more."""
        return EndOfStream(**self._names, position=self._position)  # type: ignore[arg-type]

    def missing_before(self, block: AudioBlock) -> int:
        """Samples between the last that was heard here and ``block`` of another stream."""
        return max(0, round((block.captured - self._heard) * SAMPLE_RATE))

    def push(self, block: AudioBlock) -> Iterator[StageMessage]:
        if block.lost:
            yield from self._skip(block)
        self._heard = block.captured + len(block.pcm) / 2 / SAMPLE_RATE
        data = self._rest + block.pcm
        whole = len(data) - len(data) % WINDOW_BYTES
        self._rest = data[whole:]
        loud = levels(data[:whole], WINDOW_SAMPLES) if self._gate else None
        for index in range(whole // WINDOW_BYTES):
            window = data[index * WINDOW_BYTES : (index + 1) * WINDOW_BYTES]
            yield from self._window(window, loud[index] if loud else ())

    def finish(self) -> Iterator[StageMessage]:
        """The stream is over: what was being said is an utterance too."""
        if self._endpointer.speaking:
            if self._rest:
                self._chunk.append(self._rest)
                self._position += len(self._rest) // 2
            yield from self._end()

    def _resume(self, resume: Resume) -> None:
        """Go on as the segmenter did that wrote the checkpoint. Raises ValueError."""
        try:
            checkpoint = _decoder.decode(resume.checkpoint)
        except msgspec.DecodeError as error:
            raise ValueError(f"no checkpoint of a segmenter: {error}") from error
        self._origin, self._captured = checkpoint.origin, checkpoint.captured
        self._heard = self._captured + (resume.position - self._origin) / SAMPLE_RATE
        self._vad.state = checkpoint.detector
        if self._gate is not None and len(checkpoint.gate) == 7:
            self._gate.state = checkpoint.gate
        self._asleep = checkpoint.asleep
        self._endpointer.run = checkpoint.run
        self._idle = checkpoint.idle
        kept = min(checkpoint.recent, len(resume.pcm) // WINDOW_BYTES)
        for index in range(kept, 0, -1):
            at = len(resume.pcm) - index * WINDOW_BYTES
            self._recent.append(resume.pcm[at : at + WINDOW_BYTES])

    def _checkpoint(self) -> bytes:
        return _encoder.encode(
            Checkpoint(
                origin=self._origin,
                captured=self._captured,
                detector=self._vad.state,
                gate=[] if self._gate is None else self._gate.state,
                asleep=self._asleep,
                run=self._endpointer.run,
                idle=self._idle,
                recent=len(self._recent),
            )
        )

    def _skip(self, block: AudioBlock) -> Iterator[StageMessage]:
        """Audio was lost before ``block``: positions go on behind the gap.

        The piece of a window that waited for the lost audio is lost with it. The source has
        reported the loss; here it is marked in the utterance.
        """
        gap = max(block.lost, block.position - self._position)
        if self._endpointer.speaking:
            self._lost += gap
            yield from self._flush()
            self._sent = block.position
        self._rest = b""
        self._position = block.position
        self._recent.clear()

    def _window(self, window: bytes, loud: Sequence[float]) -> Iterator[StageMessage]:
        self._position += WINDOW_SAMPLES
        boundary = self._endpointer.push(self._probability(window, loud))
        self._recent.append(window)
        if boundary is Boundary.START:
            self._begin()
            yield from self._flush()
        elif self._endpointer.speaking or boundary is Boundary.END:
            self._chunk.append(window)
            if boundary is Boundary.END:
                yield from self._end()
            elif len(self._chunk) >= CHUNK_WINDOWS:
                yield from self._flush()
        else:
            yield from self._rest_a_while()

    def _probability(self, window: bytes, loud: Sequence[float]) -> float:
        if self._gate is None or self._endpointer.speaking:
            return self._vad.probability(window)
        if not self._gate.open_for(*loud):
            self._asleep = True
            return 0.0
        if self._asleep:
            self._asleep = False
            self._vad.reset()
            for earlier in list(self._recent)[-WARM_UP_WINDOWS:]:
                self._vad.probability(earlier)
        return self._vad.probability(window)

    def _begin(self) -> None:
        self._chunk = list(self._recent)[-self._keep :]
        self._start = self._position - self._rule.start * WINDOW_SAMPLES
        self._sent = self._position - len(self._chunk) * WINDOW_SAMPLES
        self._id = self._make_id(self._start)
        self._first = True
        self._lost = 0

    def _flush(self) -> Iterator[StageMessage]:
        pcm = b"".join(self._chunk)
        self._chunk = []
        if pcm:
            yield SpeechChunk(
                **self._names,  # type: ignore[arg-type]
                id=self._id,
                position=self._sent,
                pcm=pcm,
                first=self._first,
            )
            self._first = False
            self._sent += len(pcm) // 2

    def _end(self) -> Iterator[StageMessage]:
        trailing = self._endpointer.trailing * WINDOW_SAMPLES
        if len(self._chunk) > self._endpointer.trailing:
            yield from self._flush()
        # Else it holds nothing but the silence that was waited for: the answer need not wait
        # for it to be decoded, too.
        self._chunk = []
        self._idle = 0
        # What belonged to this utterance is not the pre-roll of the next one.
        while len(self._recent) > self._endpointer.trailing:
            self._recent.popleft()
        yield Endpoint(
            **self._names,  # type: ignore[arg-type]
            id=self._id,
            start=self._start,
            end=self._position - trailing,
            position=self._position,
            captured=self._captured + (self._start - self._origin) / SAMPLE_RATE,
            lost=self._lost,
            decided=self._clock(),
            trailing=trailing / SAMPLE_RATE,
            checkpoint=self._checkpoint(),
        )

    def _rest_a_while(self) -> Iterator[StageMessage]:
        self._idle += 1
        if self._idle >= PROGRESS_WINDOWS:
            self._idle = 0
            yield Progress(
                **self._names,  # type: ignore[arg-type]
                position=self._position,
                checkpoint=self._checkpoint(),
            )

    def _make_id(self, start: int) -> str:
        """The same utterance of the same stream has the same id, however often it is heard."""
        moment = self._captured + (start - self._origin) / SAMPLE_RATE
        digest = hashlib.blake2b(
            f"{self._names['stream']}:{start}".encode(), digest_size=10
        ).digest()
        return str(ULID.from_bytes(round(moment * 1000).to_bytes(6, "big") + digest))
