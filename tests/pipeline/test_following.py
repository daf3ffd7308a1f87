"""A subscriber's bookkeeping: each event once and in order, whatever is lost on the way."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.catch_up import PAGE_FRAME, Page, Request, parse
from pipeline.events import ErrorEvent, Event, StateEvent, to_json
from pipeline.following import Following


class Publisher:
    """A publisher that numbers states of two sources, stores them, and answers requests."""

    def __init__(self, *, journal: bool = True, numbering: str = "A") -> None:
        self.journal = journal
        self.numbering = numbering
        self.events: list[Event] = []
        self.counts: dict[str, int] = {}

    def publish(self, topic: str = "state/") -> list[bytes]:
        seq = len(self.events) + 1
        identity = f"{self.numbering}{seq}"
        event: Event = StateEvent(
            seq=seq, id=identity, source="m", state="x", detail="", published=""
        )
        if topic == "error/":
            event = ErrorEvent(
                seq=seq, id=identity, source="m", code="x", detail="", count=1, published=""
            )
        self.events.append(event)
        self.counts[topic] = self.counts.get(topic, 0) + 1
        return [topic.encode(), to_json(event), str(self.counts[topic]).encode()]

    def answer(self, topic: bytes, span: int = 3) -> list[list[bytes]]:
        request = parse(topic)
        released = len(self.events)
        since = request.since
        if since is None or since > released or not self.journal:
            return [self.mark(topic, released)]
        last = min(released, since + span)
        rows = [
            [topic, to_json(event), str(place).encode()]
            for place, event in enumerate(self.events[since:last])
        ]
        return [*rows, self.mark(topic, last, len(rows))]

    def mark(self, topic: bytes, last: int, rows: int = 0) -> list[bytes]:
        more = last < len(self.events)
        page = Page(
            numbering=self.numbering,
            last=last,
            more=more,
            rows=rows,
            counts=dict(self.counts),
            journal=self.journal,
        )
        return [topic, msgspec.json.encode(page), PAGE_FRAME]

    def die(self) -> None:
        self.counts.clear()


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def converse(following: Following, publisher: Publisher) -> list[Event]:
    """Answer requests until there is none."""
    found: list[Event] = []
    answered = b""
    while following.request != answered:
        answered = following.request
        for frames in publisher.answer(answered):
            found += following.take(frames)
    return found


def test_a_request_can_be_read_again() -> None:
    for request in (
        Request(since=None, token="01K", topics=("intent/", "state/")),
        Request(since=4711, token="x"),
    ):
        assert parse(request.topic()) == request


def test_what_was_missed_comes_first_and_then_what_is_live() -> None:
    publisher = Publisher()
    for _ in range(10):
        publisher.publish()
    following = Following(("",), since=4)
    following.connected()
    early = following.take(publisher.publish())
    assert early == [], "it is held until what was before it has come"
    assert seqs(converse(following, publisher)) == [5, 6, 7, 8, 9, 10, 11]
    assert seqs(following.take(publisher.publish())) == [12]


def test_what_a_slow_subscriber_lost_it_gets_back() -> None:
    publisher = Publisher()
    following = Following(("",), since=None)
    converse(following, publisher)
    assert seqs(following.take(publisher.publish())) == [1]
    publisher.publish()
    publisher.publish()
    assert following.take(publisher.publish()) == []
    assert seqs(converse(following, publisher)) == [2, 3, 4]
    assert following.lost == 0


def test_without_a_journal_what_was_lost_is_counted() -> None:
    publisher = Publisher(journal=False)
    following = Following(("",), since=None)
    converse(following, publisher)
    assert seqs(following.take(publisher.publish())) == [1]
    publisher.publish()
    assert seqs(following.take(publisher.publish())) == [3]
    assert following.lost == 1


def test_when_the_numbers_begin_anew_all_of_the_new_ones_are_news() -> None:
    for journal in (True, False):
        old = Publisher(journal=journal)
        following = Following(("",), since=None)
        converse(following, old)
        for _ in range(5):
            following.take(old.publish())
        following.disconnected()
        new = Publisher(journal=journal, numbering="B")
        following.connected()
        held = following.take(new.publish())
        answered = [e for frames in new.answer(following.request) for e in following.take(frames)]
        rest = converse(following, new) if journal else []
        assert seqs([*held, *answered, *rest]) == [1]


def test_a_publisher_that_never_answers_is_not_waited_for_for_ever() -> None:
    clock = [0.0]
    publisher = Publisher()
    following = Following(("",), since=0, clock=lambda: clock[0])
    following.connected()
    assert following.take(publisher.publish()) == []
    assert following.deadline == 3.0
    clock[0] = 3.0
    assert seqs(following.overdue()) == [1]
    assert seqs(following.take(publisher.publish())) == [2]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from("plpdrahh"), max_size=60), st.booleans())
def test_each_event_once_and_in_order(actions: list[str], since: bool) -> None:
    """Events that arrive or get lost, connections and publishers that die, in any order.

    h: an answer in which the first frame, or all but the mark, is lost on the way.
    """
    publisher = Publisher()
    following = Following(("",), since=0 if since else None)
    found: list[Event] = []
    if not since:
        found += converse(following, publisher)
    connected, answered = True, following.request if not since else b""
    following.connected()
    for action in actions:
        if action == "p":
            frames = publisher.publish()
            found += following.take(frames) if connected else []
        elif action == "l":
            publisher.publish()
        elif action == "d" and connected:
            connected = False
            following.disconnected()
        elif action == "r" and not connected:
            connected, answered = True, b""
            following.connected()
        elif action == "a" and connected and following.request != answered:
            answered = following.request
            for frames in publisher.answer(answered):
                found += following.take(frames)
        elif action == "h" and connected and following.request != answered:
            answered = following.request
            whole = publisher.answer(answered)
            for frames in whole[1:] if len(found) % 2 and len(whole) > 1 else whole[-1:]:
                found += following.take(frames)
        if action == "d":
            publisher.die()
    if not connected:
        following.connected()
    found += following.take(publisher.publish())
    for frames in publisher.answer(following.request):
        found += following.take(frames)
    found += converse(following, publisher)
    found += following.take(publisher.publish())
    found += converse(following, publisher)
    assert seqs(found) == list(range(1, len(publisher.events) + 1))
    assert following.lost == 0


def test_what_is_missing_before_an_event_of_another_topic_is_asked_for_too() -> None:
    publisher = Publisher()
    following = Following(("state/", "error/"), None)
    found = converse(following, publisher)
    found += following.take(publisher.publish())
    for _ in range(4):
        publisher.publish()  # lost on the way
    found += following.take(publisher.publish("error/"))
    publisher.publish()  # lost too
    found += following.take(publisher.publish())
    found += converse(following, publisher)
    assert seqs(found) == [1, 6, 2, 3, 4, 5, 7, 8]
    assert following.lost == 0


def test_a_page_with_a_hole_is_asked_for_again() -> None:
    publisher = Publisher()
    for _ in range(3):
        publisher.publish()
    following = Following(("",), since=0)
    following.connected()
    first, _second, third, mark = publisher.answer(following.request)
    found = [event for frames in (first, third, mark) for event in following.take(frames)]
    assert seqs(found) == [1], "what comes after the hole waits"
    assert seqs(converse(following, publisher)) == [2, 3]


def test_an_answer_that_breaks_off_and_begins_again_gives_each_event_once() -> None:
    publisher = Publisher()
    for _ in range(3):
        publisher.publish()
    following = Following(("",), since=0)
    following.connected()
    answer = publisher.answer(following.request)
    found = [e for frames in [*answer[:2], *answer] for e in following.take(frames)]
    assert seqs(found) == [1, 2, 3]
