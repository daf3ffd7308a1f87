"""The dialogue: asks for slots that are missing, lets intents be confirmed, and answers.

What is incomplete is held back with a question; the next utterance of the same stream answers it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from models.domain import Domain
from stages.answers import CANCEL, NO, YES, after, joined, plain, slots_in
from stages.messages import (
    Cancelled,
    EndOfStream,
    Question,
    Slot,
    StageMessage,
    Transcript,
    Turn,
)
from stages.speaker import Speaker


@dataclass(frozen=True)
class _Open:
    """A question that waits for its answer."""

    held: Transcript
    """What was said so far, with intent and slots."""

    question: Question
    deadline: float
    asked: int = 1


class Dialogue:
    """Completes intents with the questions of a domain, and answers with its replies.

    ``domain`` gives the domain once the stages before are open; without questions and replies in
    it everything passes. ``timeout`` are seconds that a question waits, ``retries`` how often it
    is asked again, ``speak`` the command that says questions and replies.
    """

    def __init__(
        self,
        domain: Callable[[], Domain | None],
        *,
        timeout: float = 20.0,
        retries: int = 1,
        speak: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._get_domain = domain
        self._timeout = timeout
        self._retries = retries
        self._speak = speak
        self._clock = clock
        self._domain: Domain | None = None
        self._speaker: Speaker | None = None
        self._open: dict[tuple[str, str], _Open] = {}

    def open(self) -> Iterable[StageMessage]:
        """Look whether the domain talks. Raises ConfigurationError for a missing program."""
        domain = self._get_domain()
        self._domain = domain if domain is not None and domain.talks else None
        if self._domain is not None and self._speak:
            self._speaker = Speaker(self._speak)
        return ()

    def close(self) -> None:
        """Let what is being said be finished."""
        if self._speaker is not None:
            self._speaker.close()

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """Utterances become questions, complete intents or cancellations; the rest passes."""
        if self._domain is None:
            return (message,)
        return self._answer(message, self._domain)

    def _answer(self, message: StageMessage, domain: Domain) -> Iterator[StageMessage]:
        yield from self._expire()
        key = (message.source, message.stream)
        if isinstance(message, Transcript):
            pending = self._open.pop(key, None)
            if pending is None:
                yield self._begin(message, domain)
            else:
                yield from self._continue(pending, message, domain)
            return
        if isinstance(message, EndOfStream) and key in self._open:
            yield _cancelled(self._open.pop(key).held, "ended")
        yield message

    def _expire(self) -> Iterator[StageMessage]:
        now = self._clock()
        for key in [key for key, pending in self._open.items() if pending.deadline < now]:
            yield _cancelled(self._open.pop(key).held, "timeout")

    def _begin(self, said: Transcript, domain: Domain) -> Transcript:
        """An utterance outside of any dialogue."""
        if not said.accepted or said.intent is None or said.intent.name not in domain.details:
            return said
        return self._advance(said, domain, asked_before=False)

    def _continue(self, pending: _Open, said: Transcript, domain: Domain) -> Iterator[StageMessage]:
        """An utterance that should answer a question."""
        words = plain(said.text, domain)
        if words in CANCEL:
            yield from _call_off(pending.held, said, "cancelled")
        elif pending.question.kind == "confirm":
            yield from self._confirmed(pending, said, words, domain)
        else:
            yield from self._filled(pending, said, domain)

    def _confirmed(
        self, pending: _Open, said: Transcript, words: str, domain: Domain
    ) -> Iterator[StageMessage]:
        if words in YES:
            yield self._complete(after(pending.held, said), domain)
        elif words in NO:
            yield from _call_off(pending.held, said, "no")
        else:
            yield from self._not_answered(pending, said, domain)

    def _filled(self, pending: _Open, said: Transcript, domain: Domain) -> Iterator[StageMessage]:
        assert isinstance(pending.question.slot, str)
        slots = slots_in(pending.question.slot, pending.held, said, domain)
        if slots:
            yield self._advance(joined(pending.held, said, slots), domain, asked_before=True)
        else:
            yield from self._not_answered(pending, said, domain)

    def _not_answered(
        self, pending: _Open, said: Transcript, domain: Domain
    ) -> Iterator[StageMessage]:
        """Something else was said: another intent, or nothing that helps."""
        if said.accepted and said.intent is not None:
            yield _cancelled(pending.held, "replaced")
            yield self._begin(said, domain)
        elif pending.asked > self._retries:
            yield from _call_off(pending.held, said, "not-understood")
        else:
            yield self._ask(after(pending.held, said), pending.question, pending.asked + 1)

    def _advance(self, said: Transcript, domain: Domain, *, asked_before: bool) -> Transcript:
        """Ask for the next thing that is missing, or be done."""
        assert said.intent is not None
        details = domain.details[said.intent.name]
        known = {slot.name for slot in said.slots}
        for slot, question in details.required.items():
            if slot not in known:
                text = _render(question, said.slots)
                return self._ask(said, Question(text=text, kind="slot", slot=slot), 1)
        if details.confirm is not None:
            text = _render(details.confirm, said.slots) or "Are you sure?"
            return self._ask(said, Question(text=text, kind="confirm"), 1)
        return self._complete(said, domain, talked=asked_before)

    def _ask(self, said: Transcript, question: Question, asked: int) -> Transcript:
        turn = Turn(id=said.turn.id if said.turn else said.id, question=question)
        held = msgspec.structs.replace(said, turn=turn)
        key = (said.source, said.stream)
        self._open[key] = _Open(held, question, self._clock() + self._timeout, asked)
        self._say(question.text)
        return held

    def _complete(self, said: Transcript, domain: Domain, *, talked: bool = True) -> Transcript:
        """The intent with its reply."""
        assert said.intent is not None
        replies = domain.details[said.intent.name].replies
        reply = ""
        if replies:
            found = domain.recognize(said.text) if len(replies) > 1 else None
            key = found.response if found and found.intent == said.intent.name else "default"
            template = replies.get(key) or replies.get("default")
            reply = _render(template, said.slots) if template else ""
        if reply:
            self._say(reply)
        if not reply and not talked:
            return said
        turn = Turn(id=said.turn.id if said.turn else said.id, reply=reply)
        return msgspec.structs.replace(said, turn=turn)

    def _say(self, text: str) -> None:
        if self._speaker is not None and text:
            self._speaker.say(text)


def _call_off(held: Transcript, said: Transcript, reason: str) -> Iterator[StageMessage]:
    turn = Turn(id=held.turn.id if held.turn else held.id, ended=True)
    yield msgspec.structs.replace(said, turn=turn)
    yield _cancelled(held, reason)


def _cancelled(held: Transcript, reason: str) -> Cancelled:
    assert held.intent is not None
    return Cancelled(
        source=held.source,
        stream=held.stream,
        file=held.file,
        id=held.turn.id if held.turn else held.id,
        text=held.text,
        intent=held.intent,
        slots=held.slots,
        reason=reason,
    )


def _render(template: str, slots: tuple[Slot, ...]) -> str:
    # Most domains are silent, and shall not pay for templates.
    from stages.replies import render

    return render(template, slots)
