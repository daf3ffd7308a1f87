"""How a subscriber asks for what it has missed, over the very socket that it subscribes to.

It subscribes to the topic ``since/SEQ/TOKEN/TOPICS``: the number of the last event it has, or
``now``; a word that nobody else uses; and the topics it wants, joined by commas. The publisher
answers under exactly this topic, with those events as they were published, each with its place in
the page, and then a page mark that says how many they are, up to which number they reach and
whether there is more, which is asked for with the next subscription. A socket that reconnects asks
again by itself, because it subscribes again.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

PREFIX: Final = b"since/"

SPAN: Final = 500
"""Numbers that one page covers at most."""

PAGE_FRAME: Final = b"page"
"""Third frame of a page mark; for an event out of the journal it is its place in the page."""

_REQUEST: Final = re.compile(rb"since/(now|\d{1,18})/([0-9A-Za-z]{1,40})/([ -~]{0,1000})")


class Page(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="page"):
    """The mark at the end of a page."""

    numbering: str
    """Id of the numbering: another one means that numbers began anew."""

    last: int
    """Events up to this number have been sent, now or live."""

    more: bool
    """True when ``since/LAST/…`` will give more."""

    rows: int = 0
    """How many events the page has: libzmq leaves out a subscriber that was full a moment ago."""

    counts: dict[str, int] = {}
    """How many events of each topic have been sent live so far."""

    journal: bool
    """False when nothing is stored, so that what was missed is lost."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscriber asks for."""

    since: int | None
    """Number of the last event that it has; None to be told the number only."""

    token: str
    topics: tuple[str, ...] = ("",)

    def topic(self) -> bytes:
        """The topic to subscribe to."""
        since = "now" if self.since is None else str(self.since)
        return f"since/{since}/{self.token}/{','.join(self.topics)}".encode()


def parse(topic: bytes) -> Request:
    """The request in a topic. Raises ValueError for anything else."""
    match = _REQUEST.fullmatch(topic)
    if match is None:
        raise ValueError("not a request for events")
    since, token, topics = (group.decode("ascii") for group in match.groups())
    return Request(
        since=None if since == "now" else int(since), token=token, topics=tuple(topics.split(","))
    )
