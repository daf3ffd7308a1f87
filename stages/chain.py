"""Several stages as one, in one worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from stages.messages import StageMessage


class Link(Protocol):
    """A stage."""

    def open(self) -> Iterable[StageMessage]:
        """Load what is needed."""

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """The messages that follow from one message."""

    def close(self) -> None:
        """Let go of everything."""


class Chain:
    """Hands what each stage makes to the next one."""

    def __init__(self, *stages: Link) -> None:
        self._stages: Sequence[Link] = stages

    def open(self) -> Iterable[StageMessage]:
        """Open all, in order; what the first ones report passes through the later ones."""
        reports: list[StageMessage] = []
        for stage in self._stages:
            reports += stage.open()
        return reports

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """The messages that follow from one message at the end of the chain."""
        messages = [message]
        for stage in self._stages:
            messages = [made for each in messages for made in stage.process(each)]
        return messages

    def describe(self) -> dict[str, str]:
        """The models of those that say theirs, by role."""
        found: dict[str, str] = {}
        for stage in self._stages:
            describe = getattr(stage, "describe", None)
            found |= describe() if describe else {}
        return found

    def close(self) -> None:
        """Close all, the last first."""
        for stage in reversed(self._stages):
            stage.close()
