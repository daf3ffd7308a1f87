"""What a satellite has heard and its hub has not yet published: bounded, oldest lost first."""

from __future__ import annotations

from collections import deque

import msgspec

from pipeline.satellites.frames import Block, Ended, Item, Said
from stages.messages import SAMPLE_RATE


class Ring:
    """Items in order, at most so many seconds of audio.

    ``lost`` counts samples that had to go before the hub took them.
    """

    def __init__(self, seconds: float) -> None:
        self._bound = round(seconds * SAMPLE_RATE)
        self._items: deque[Item] = deque()
        self._samples = 0
        self._next = 0
        self._done: dict[str, tuple[int, bool]] = {}
        self._flying: dict[int, Block] = {}
        self.taken = 0
        """The hub has taken all items before this number."""
        self.sent = 0
        """All items before this number were sent, though they may not have arrived."""
        self.lost = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def next(self) -> int:
        """Number that the next item will have."""
        return self._next

    @property
    def first(self) -> int:
        """Number of the oldest item, or of the next one where there is none."""
        return self._items[0].seq if self._items else self._next

    @property
    def full(self) -> bool:
        """True when another block would push one out."""
        return self._samples + SAMPLE_RATE // 10 > self._bound

    def append(self, item: Item) -> None:
        """Keep an item, under a number of its own."""
        self._items.append(msgspec.structs.replace(item, seq=self._next))
        self._next += 1
        if isinstance(item, Block):
            self._samples += item.samples
        while self._samples > self._bound:
            self._drop()

    def get(self, seq: int) -> Item | None:
        """The item of that number, or the oldest behind it; None when there is none yet."""
        if not self._items or seq >= self._next:
            return None
        index = max(0, seq - self._items[0].seq)
        item = self._items[index]
        return msgspec.structs.replace(item, oldest=True) if index == 0 else item

    def take(self, seq: int) -> None:
        """The hub has taken all items before ``seq``."""
        self.taken = seq
        self.sent = max(self.sent, seq)
        self._flying = {number: item for number, item in self._flying.items() if number >= seq}
        self._trim()

    def rewind(self, seq: int) -> None:
        """The hub has taken all items before ``seq``, and what was sent behind them is gone."""
        self.take(seq)
        self.sent = seq
        flying, self._flying = self._flying, {}
        for block in flying.values():
            self._lose(block)

    def published(self, stream: str, position: int, *, final: bool) -> None:
        """A stream is published up to a position, or all of it: that need not be kept."""
        self._done[stream] = (position, final)
        self._trim()

    def _trim(self) -> None:
        while self._items and self._items[0].seq < self.taken and self._is_done(self._items[0]):
            item = self._pop()
            if isinstance(item, Ended):
                del self._done[item.stream]

    def _is_done(self, item: Item) -> bool:
        if isinstance(item, Said):
            return True
        position, final = self._done.get(item.stream, (0, False))
        return final or (isinstance(item, Block) and item.position + item.samples <= position)

    def _pop(self) -> Item:
        item = self._items.popleft()
        if isinstance(item, Block):
            self._samples -= item.samples
        return item

    def _drop(self) -> None:
        victim = self._pop()
        if not isinstance(victim, Block) or victim.seq < self.taken:
            return
        if victim.seq < self.sent:
            self._flying[victim.seq] = victim  # it may well arrive
        else:
            self._lose(victim)

    def _lose(self, victim: Block) -> None:
        self.lost += victim.samples
        for index, item in enumerate(self._items):
            if isinstance(item, Block) and item.stream == victim.stream:
                gone = item.lost + victim.lost + victim.samples
                self._items[index] = msgspec.structs.replace(item, lost=gone)
                return
