"""The dialogue: given what was said before, this is asked, answered or called off."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from models.domain import Domain
from models.errors import ConfigurationError
from stages.chain import Chain
from stages.dialogue import Dialogue
from stages.messages import Cancelled, EndOfStream, Progress, Span, StageMessage, Transcript
from stages.template_understander import TemplateUnderstander

KITCHEN = """
language: en
intents:
  StartTimer:
    required: {duration: "For how long?"}
    replies: "Timer set for {{ raw.duration }}"
    data:
      - sentences: ["(set|start) a timer [for {duration}]"]
  Remind:
    required: {what: "Remind you of what?", when: "When?"}
    data:
      - sentences: ["remind me [to {what}]"]
      - sentences: ["at {when}"]
  Unlock:
    required: {door: "Which door?"}
    confirm: "Shall I unlock the {{ door }}?"
    replies: {default: "The {{ door }} is open", gently: "{{ nobody.knows }}"}
    data:
      - sentences: ["unlock [the {door}]"]
      - sentences: ["gently unlock the {door}"]
        response: gently
  Time:
    data:
      - sentences: ["what time is it"]
lists:
  duration: {type: duration}
  when: {type: datetime}
  what: {wildcard: true}
  door: {values: [{in: front door, synonyms: [main door]}, back door]}
skip_words: [please]
"""


class Talk:
    """Says things to a kitchen, at a time that can be moved."""

    def __init__(self, path: Path, text: str = KITCHEN, **options: object) -> None:
        file = path / "kitchen.yaml"
        file.write_text(text, encoding="utf-8")
        self.now = 0.0
        self.count = 0
        templates = TemplateUnderstander(file)
        self.stage = Chain(
            templates,
            Dialogue(lambda: templates.domain, clock=lambda: self.now, **options),  # type: ignore[arg-type]
        )
        assert list(self.stage.open()) == []

    def say(self, text: str, stream: str = "s") -> list[StageMessage]:
        self.count += 1
        return list(
            self.stage.process(
                Transcript(
                    source="kitchen",
                    stream=stream,
                    id=str(self.count),
                    text=text,
                    speech=Span(start=self.count, end=self.count + 0.5),
                    position=self.count * 16_000,
                    captured=datetime(2026, 11, 25, 15, 10).timestamp(),
                )
            )
        )

    def one(self, text: str) -> Transcript:
        [made] = self.say(text)
        assert isinstance(made, Transcript)
        return made

    def asked(self, text: str) -> str:
        turn = self.one(text).turn
        assert turn is not None
        assert turn.question is not None
        return turn.question.text


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path)


def values(message: Transcript) -> dict[str, object]:
    return {slot.name: slot.value for slot in message.slots}


def ends(messages: Sequence[StageMessage]) -> list[tuple[str, str]]:
    return [(m.intent.name, m.reason) for m in messages if isinstance(m, Cancelled)]


def test_given_all_that_is_needed_then_the_intent_is_done_and_answered(talk: Talk) -> None:
    made = talk.one("set a timer for half an hour")
    assert values(made) == {"duration": 1800}
    assert made.turn is not None
    assert (made.turn.question, made.turn.reply) == (None, "Timer set for half an hour")


def test_given_no_question_and_no_reply_then_nothing_is_changed(talk: Talk) -> None:
    made = talk.one("what time is it")
    assert (made.accepted, made.turn) == (True, None)
    assert talk.one("hello there").turn is None


def test_given_a_missing_slot_then_it_is_asked_for_and_the_next_utterance_fills_it(
    talk: Talk,
) -> None:
    asked = talk.one("set a timer")
    assert asked.turn is not None
    assert asked.turn.question is not None
    question = asked.turn.question
    assert (question.text, question.kind, question.slot) == ("For how long?", "slot", "duration")
    made = talk.one("five minutes please")
    assert made.turn is not None
    assert (made.id, made.turn.id, made.turn.question) == ("2", "1", None)
    assert made.turn.reply == "Timer set for five minutes"
    slot = made.slots[0]
    assert (slot.value, slot.type, slot.unit) == (300, "duration", "seconds")
    assert made.text == "set a timer five minutes please"
    assert made.text[slot.start : slot.end] == slot.raw == "five minutes"
    assert (made.speech.start, made.speech.end, made.position) == (1, 2.5, 32_000)


def test_given_two_missing_slots_then_both_are_asked_for_in_their_order(talk: Talk) -> None:
    assert talk.asked("remind me") == "Remind you of what?"
    assert talk.asked("feed the cat") == "When?"
    made = talk.one("tomorrow at seven")
    assert values(made)["what"] == "feed the cat"
    # Relative to when it was said, not to now.
    assert str(values(made)["when"]).startswith("2026-11-26T07:00:00")
    assert made.text == "remind me feed the cat tomorrow at seven"
    assert [made.text[s.start : s.end] for s in made.slots] == [s.raw for s in made.slots]


def test_given_an_answer_as_a_whole_sentence_then_its_slots_count(talk: Talk) -> None:
    talk.asked("set a timer")
    assert values(talk.one("set a timer for ten minutes")) == {"duration": 600}


def test_given_a_value_among_other_words_then_it_is_found(talk: Talk) -> None:
    talk.asked("set a timer")
    made = talk.one("make that twenty five minutes or so")
    assert made.slots[0].raw == "twenty five minutes"


def test_given_a_confirmation_then_yes_does_it(talk: Talk) -> None:
    assert talk.asked("unlock") == "Which door?"
    asked = talk.one("the main door")
    assert asked.turn is not None
    assert asked.turn.question is not None
    assert asked.turn.question.text == "Shall I unlock the front door?"
    assert asked.turn.question.kind == "confirm"
    made = talk.one("yes please")
    assert made.accepted
    assert values(made) == {"door": "front door"}
    assert made.text == "unlock the main door"
    assert made.turn is not None
    assert made.turn.reply == "The front door is open"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("no", "no"), ("never mind", "cancelled"), ("please cancel", "cancelled")],
)
def test_given_no_or_cancel_then_the_intent_is_off(talk: Talk, answer: str, reason: str) -> None:
    talk.asked("unlock the back door")
    said, cancelled = talk.say(answer)
    assert isinstance(said, Transcript)
    assert said.turn is not None
    assert said.turn.ended
    assert said.position == 32_000
    assert isinstance(cancelled, Cancelled)
    assert (cancelled.id, cancelled.reason) == ("1", reason)
    assert talk.one("yes").turn is None


def test_given_an_answer_that_does_not_fit_then_it_is_asked_again_and_then_off(talk: Talk) -> None:
    talk.asked("set a timer")
    assert talk.asked("purple") == "For how long?"
    assert ends(talk.say("elephants")) == [("StartTimer", "not-understood")]


def test_given_another_intent_then_it_takes_the_place_of_the_first(talk: Talk) -> None:
    talk.asked("set a timer")
    cancelled, made = talk.say("what time is it")
    assert ends([cancelled]) == [("StartTimer", "replaced")]
    assert isinstance(made, Transcript)
    assert made.intent is not None
    assert made.intent.name == "Time"


def test_given_no_answer_in_time_then_the_intent_is_off(talk: Talk) -> None:
    talk.asked("set a timer")
    tick = Progress(source="kitchen", stream="s", position=20_000)
    talk.now = 19.0
    assert list(talk.stage.process(tick)) == [tick]
    talk.now = 21.0
    cancelled, passed = talk.stage.process(tick)
    assert ends([cancelled]) == [("StartTimer", "timeout")]
    assert passed == tick
    assert talk.one("five minutes").turn is None


def test_given_the_end_of_the_stream_then_the_intent_is_off(talk: Talk) -> None:
    talk.asked("set a timer")
    end = EndOfStream(source="kitchen", stream="s", position=30_000)
    cancelled, passed = talk.stage.process(end)
    assert ends([cancelled]) == [("StartTimer", "ended")]
    assert passed == end


def test_given_two_streams_then_each_has_its_own_dialogue(talk: Talk) -> None:
    talk.asked("set a timer")
    [other] = talk.say("five minutes", stream="t")
    assert isinstance(other, Transcript)
    assert other.turn is None
    assert values(talk.one("ten minutes")) == {"duration": 600}


def test_given_a_reply_that_cannot_be_filled_in_then_the_intent_goes_without(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    talk.asked("gently unlock the back door")
    made = talk.one("yes")
    assert made.turn is not None
    assert made.turn.reply == ""
    assert "can't be filled in" in caplog.text


def test_given_a_domain_without_questions_then_everything_passes(tmp_path: Path) -> None:
    text = "language: en\nintents: {Go: {data: [{sentences: [go]}]}}\n"
    talk = Talk(tmp_path, text, speak=("no-such-program",))
    assert talk.one("go").turn is None


def test_given_a_command_then_it_says_questions_and_replies(tmp_path: Path) -> None:
    spoken = tmp_path / "spoken.txt"
    code = f"import sys; open({str(spoken)!r}, 'a').write(sys.stdin.read())"
    talk = Talk(tmp_path, speak=(sys.executable, "-c", code))
    talk.asked("unlock the back door")
    talk.one("yes")
    for _ in range(200):
        if spoken.exists() and spoken.read_text().count("\n") == 2:
            break
        time.sleep(0.05)
    talk.stage.close()
    assert spoken.read_text() == "Shall I unlock the back door?\nThe back door is open\n"


def test_given_a_command_that_is_not_there_then_the_error_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"dialogue\.speak: there is no program whisper9"):
        Talk(tmp_path, speak=("whisper9", "-q"))


@pytest.mark.parametrize(
    ("slot", "text", "found"),
    [
        ("duration", "about five minutes please", "about five minutes"),
        ("door", "well the main door i think", "main door"),
        ("what", "anything at all", "anything at all"),
        ("door", "the window", None),
    ],
)
def test_given_an_answer_then_the_longest_words_that_fit_are_found(
    tmp_path: Path, slot: str, text: str, found: str | None
) -> None:
    file = tmp_path / "kitchen.yaml"
    file.write_text(KITCHEN, encoding="utf-8")
    place = Domain.load(file).find(slot, text)
    assert (None if place is None else text[slice(*place)]) == found
