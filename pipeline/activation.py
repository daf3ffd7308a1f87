"""Decides whether a source is listened to: muted, push-to-talk, or always.

It stands between a source and the ring of what is not published, so that nothing that is said
while nobody should listen leaves the process of the source. Silence takes its place, and what
was begun before ends as an utterance of its own. A wake-word stage will stand here too, and
call ``change`` when its word was heard.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from pipeline.wire import Activity
from stages.messages import AudioBlock, StateReport


class Activation:
    """The gate of one source. Times are readings of ``clock``, which all processes share."""

    def __init__(
        self,
        source: str,
        *,
        push_to_talk: bool,
        activity: Activity | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._push_to_talk = push_to_talk
        self._activity = activity or Activity()
        self._clock = clock
        self._told = ""

    @property
    def state(self) -> str:
        """``listening``, ``waiting`` for a trigger, or ``muted``."""
        now = self._clock()
        if now < self._activity.muted_until:
            return "muted"
        if self._push_to_talk and now >= self._activity.listen_until:
            return "waiting"
        return "listening"

    def change(self, activity: Activity) -> None:
        """From now on."""
        self._activity = activity

    def process(self, block: AudioBlock) -> AudioBlock:
        """The block, or as much silence."""
        if self.state == "listening":
            return block
        return msgspec.structs.replace(block, pcm=bytes(len(block.pcm)))

    def reports(self) -> tuple[StateReport, ...]:
        """What changed since this was last asked; a source that always listens says nothing."""
        state = self.state
        if state == self._told or (state == "listening" and not self._told):
            return ()
        self._told = state
        return (StateReport(source=self._source, stream="", state=state),)
