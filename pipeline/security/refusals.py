"""Tells of peers that were refused: at once, then at most once a minute."""

from __future__ import annotations

from pipeline.security.door import Door
from pipeline.transport import OncePer
from stages.messages import ErrorReport


class Refusals:
    """Counts refused peers between one report and the next."""

    def __init__(self, name: str, seconds: float = 60.0) -> None:
        self._name = name
        self._count = 0
        self._due = OncePer(seconds)

    def add(self, count: int) -> None:
        """So many more were refused."""
        self._count += count

    def report(self, door: Door) -> ErrorReport | None:
        """What is to be published now, if anything."""
        if not self._count or not self._due.due():
            return None
        count, self._count = self._count, 0
        detail = (
            f"{self._name}: {count} connections were refused ({door.last_refusal()}); "
            "`intentd keys list` shows who is allowed"
        )
        return ErrorReport(source="", stream="", code="peer-refused", detail=detail, count=count)
