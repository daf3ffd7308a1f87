"""One satellite as its hub sees it: what it wants next, and the stream that is being made."""

from __future__ import annotations

import time
from typing import Any

from pipeline.satellites.codec import Decoder, make_decoder
from pipeline.satellites.frames import Block, Codec, Ended, Hello, Item, Published, Said
from pipeline.satellites.streams import stream_name
from pipeline.wire import WireError
from stages.messages import (
    SAMPLE_RATE,
    AudioBlock,
    EndOfStream,
    ErrorReport,
    StageMessage,
    StateReport,
)


class Session:
    """A satellite between its start and its end; it may be away in between."""

    def __init__(self, hub: str, name: str, hello: Hello) -> None:
        """Raises ConfigurationError when its codec is not installed here."""
        self.hub = hub
        self.name = name
        self.id = hello.session
        self.route = b""
        self.next = self.told = hello.first
        self.heard = 0.0
        self.ended = False
        """Its streams were ended here, because it was away for too long."""
        self.lost = True
        """It has not been heard for a while, or not at all yet."""
        self.complain_at = 0.0
        self.tell_at = float("inf")
        self._codec: Codec = hello.codec
        make_decoder(hello.codec)
        self._streams: dict[str, _Stream] = {}
        self._ended: dict[str, tuple[str, bool]] = {}
        self._published: dict[str, Published] = {}
        self._given_up: set[str] = set()
        self._count = 0

    def published(self, stream: str, position: int, *, final: bool) -> Published | None:
        """What to tell the satellite when this is published of a stream; None if not its own."""
        by_name = {ours.id: name for name, ours in self._streams.items()}
        if stream in by_name:
            name, over = by_name[stream], False
        elif stream in self._ended:
            name, over = self._ended[stream]
        else:
            return None
        # Where this side ended the stream, the satellite's goes on.
        if final and not over:
            self._given_up.add(name)
        told = Published(stream=name, position=position, final=final and over)
        self._published[name] = told
        _keep_few(self._published)
        return told

    def told_so_far(self) -> list[Published]:
        """What was published, for a satellite that may not have heard of it."""
        return list(self._published.values())

    def recall(self, stream: str, position: int) -> Published:
        """A hub before this one published a stream so far; what to tell the satellite."""
        told = self._published[stream] = Published(stream=stream, position=position)
        _keep_few(self._published)
        return told

    def knows(self, stream: str) -> bool:
        """True when a stream of the satellite has been heard here."""
        return stream in self._streams or stream in {name for name, _ in self._ended.values()}

    def is_over(self, stream: str) -> bool:
        """True for one that has ended and of which nothing is on its way to be published."""
        return not self.knows(stream) or stream in self._given_up

    def is_new(self, stream: str) -> bool:
        """True when it is not even known how far it was published."""
        return not self.knows(stream) and stream not in self._published

    def take(self, item: Item) -> list[StageMessage]:
        """The messages that follow from the next item."""
        self.next = item.seq + 1
        match item:
            case Block():
                return self._hear(item)
            case Ended():
                return self._finish(item.stream, over=True)
            case Said(state=True):
                return [self.state(item.code, item.detail)]
            case _:
                return [self.error(item.code, f"{self.name}: {item.detail}", item.count)]

    def end(self) -> list[StageMessage]:
        """End its streams."""
        return [
            message for name in list(self._streams) for message in self._finish(name, over=False)
        ]

    def state(self, state: str, detail: str = "") -> StateReport:
        """A state of this satellite."""
        return StateReport(source=self.name, stream="", state=state, detail=detail)

    def error(self, code: str, detail: str, count: int = 1) -> ErrorReport:
        """An error of this satellite."""
        return ErrorReport(source=self.name, stream="", code=code, detail=detail, count=count)

    def _hear(self, block: Block) -> list[StageMessage]:
        made: list[StageMessage] = []
        stream = self._streams.get(block.stream)
        if stream is None and self._is_published(block):
            return []
        if stream is None:
            # Its end was lost where another one is still open.
            made += self.end()
            self._count += 1
            name = stream_name(self.hub, self.name, block.stream, self._count)
            stream = _Stream(name, self.name, block, make_decoder(self._codec))
            self._streams[block.stream] = stream
            self._given_up.discard(block.stream)
        lost = stream.lost_before(block)
        if lost:
            detail = f"{self.name}: {lost / SAMPLE_RATE:.1f} s of audio did not arrive"
            made.append(self.error("audio-lost", detail, lost))
        try:
            made += stream.push(block)
        except WireError as error:
            made.append(self.error("bad-audio", f"{self.name}: {error}"))
            made += stream.skip(block)
        return made

    def _is_published(self, block: Block) -> bool:
        told = self._published.get(block.stream)
        return told is not None and block.position + block.samples <= told.position

    def _finish(self, name: str, *, over: bool) -> list[StageMessage]:
        stream = self._streams.pop(name, None)
        if stream is None:
            self._ended |= {i: (n, over or was) for i, (n, was) in self._ended.items() if n == name}
            return []
        self._ended[stream.id] = (name, over)
        _keep_few(self._ended)
        self._given_up &= {ended for ended, _ in self._ended.values()}
        return stream.finish()


def _keep_few(some: dict[str, Any]) -> None:
    """A satellite has one stream at a time; acknowledgements of a few earlier ones may come."""
    while len(some) > 8:
        del some[next(iter(some))]


class _Stream:
    """Decodes one stream; positions are those of the satellite."""

    def __init__(self, name: str, source: str, first: Block, decoder: Decoder) -> None:
        self.id = name
        self._source = source
        self._decoder = decoder
        self._position = first.position
        self._end = first.position
        self._captured = 0.0
        self._lost = 0

    def lost_before(self, block: Block) -> int:
        """Samples between what was taken last and ``block``."""
        return max(block.lost, block.position - self._end)

    def push(self, block: Block) -> list[StageMessage]:
        lost = self.lost_before(block)
        made: list[StageMessage] = []
        if lost or block.position != self._end:
            made += self._flush()
            self._lost += lost
            self._position = self._end = block.position
        self._captured = min(block.captured, time.time())
        pcm = self._decoder.decode(block.packets, block.samples)
        self._end = block.position + block.samples
        return made + self._emit(pcm)

    def skip(self, block: Block) -> list[StageMessage]:
        """What could not be decoded is lost."""
        made = self._flush()
        self._end = block.position + block.samples
        self._lost += self._end - self._position
        self._position = self._end
        return made

    def finish(self) -> list[StageMessage]:
        end = EndOfStream(source=self._source, stream=self.id, position=self._end)
        return [*self._flush(), end]

    def _flush(self) -> list[StageMessage]:
        return self._emit(self._decoder.flush())

    def _emit(self, pcm: bytes) -> list[StageMessage]:
        # A codec fills up its last packet.
        pcm = pcm[: 2 * max(0, self._end - self._position)]
        if not pcm:
            return []
        block = AudioBlock(
            source=self._source,
            stream=self.id,
            position=self._position,
            captured=self._captured,
            pcm=pcm,
            lost=self._lost,
        )
        self._position += len(pcm) // 2
        self._lost = 0
        return [block]
