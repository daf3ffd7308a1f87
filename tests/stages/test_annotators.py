"""Topics, entities and answers: stages that add to a transcript and let everything else pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ConfigurationError, ModelError
from stages.answer import AnswerStage
from stages.documents import read_documents
from stages.entities import EntitiesStage
from stages.messages import Intent, Partial, Span, Transcript
from stages.topics import TopicsStage

MODELS = Path(__file__).resolve().parents[1] / "data" / "models"
SNIPS = MODELS / "mobilebert-snips"
RULES = "The pool is closed on Sundays. On all other days it opens at nine and closes at eight. "
RAIN = "will it rain in london tomorrow"


def heard(text: str, **more: object) -> Transcript:
    return Transcript(
        source="kitchen",
        stream="s",
        id="1",
        text=text,
        speech=Span(start=0, end=1),
        position=1,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def pointer(tmp_path: Path) -> Path:
    """A model that points at the word nine."""
    folder = tmp_path / "pointer"
    folder.mkdir()
    for name in ("model.onnx", "labels.json"):
        (folder / name).symlink_to(MODELS / "pointer" / name)
    (folder / "tokenizer.json").symlink_to(SNIPS / "tokenizer.json")
    return folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.txt"
    path.write_text("Welcome to the house by the sea. " * 40 + RULES + "Thank you. " * 40)
    return path


def run(stage: TopicsStage | EntitiesStage | AnswerStage, message: Transcript) -> Transcript:
    [made] = stage.process(message)
    assert isinstance(made, Transcript)
    return made


def test_given_a_classifier_the_transcript_gains_its_topic() -> None:
    stage = TopicsStage(model=str(SNIPS))
    stage.open()

    made = run(stage, heard(RAIN))

    assert made.topics is not None
    assert [topic.name for topic in made.topics] == ["GetWeather"]
    assert made.models["topics"] == "mobilebert-snips@1"
    assert made.timings["topics"] > 0
    assert run(stage, heard("")).topics == ()


def test_given_a_tagger_the_transcript_gains_entities_beside_its_slots() -> None:
    stage = EntitiesStage(model=str(SNIPS), threshold=0.3)
    stage.open()

    made = run(stage, heard(RAIN))

    assert made.slots == ()
    assert made.entities is not None
    assert {e.name: e.raw for e in made.entities} == {
        "condition_description": "rain",
        "city": "london",
        "timeRange": "tomorrow",
    }


def test_given_a_question_that_nothing_understood_the_answer_comes_from_a_document(
    pointer: Path, rules: Path
) -> None:
    stage = AnswerStage(model=str(pointer), documents=[rules])
    stage.open()

    made = run(stage, heard("when does the pool open"))

    assert made.answer is not None
    assert made.answer.text == "nine"
    assert made.answer.document == "rules.txt"
    assert rules.read_text()[made.answer.start : made.answer.end] == "nine"
    assert "opens at nine and" in made.answer.context


def test_given_an_accepted_intent_nothing_is_looked_up(pointer: Path, rules: Path) -> None:
    stage = AnswerStage(model=str(pointer), documents=[rules])
    stage.open()
    message = heard("open at nine", accepted=True, intent=Intent(name="Open", confidence=1.0))

    assert run(stage, message) is message


def test_given_no_answer_worth_giving_there_is_none(pointer: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("Breakfast is in the garden.")
    stage = AnswerStage(model=str(pointer), documents=[path])
    stage.open()

    assert run(stage, heard("is nine early")).answer is None


@pytest.mark.parametrize("stage", ["topics", "entities", "answer"])
def test_given_anything_but_a_transcript_it_passes(stage: str, pointer: Path, rules: Path) -> None:
    made = {
        "topics": TopicsStage(model=str(SNIPS)),
        "entities": EntitiesStage(model=str(SNIPS)),
        "answer": AnswerStage(model=str(pointer), documents=[rules]),
    }[stage]
    made.open()
    message = Partial(source="kitchen", stream="s", id="1", text="wi")

    assert list(made.process(message)) == [message]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_given_any_text_no_stage_raises(text: str) -> None:
    for stage in _opened():
        stage.process(heard(text))


def test_given_ten_thousand_words_no_stage_raises() -> None:
    for stage in _opened():
        stage.process(heard("rain in london " * 3_334))


_STAGES: list[TopicsStage | EntitiesStage] = []


def _opened() -> list[TopicsStage | EntitiesStage]:
    if not _STAGES:
        _STAGES.extend([TopicsStage(model=str(SNIPS)), EntitiesStage(model=str(SNIPS))])
        for stage in _STAGES:
            stage.open()
    return _STAGES


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"\xff\xfe\x00", "is not UTF-8 text"), (b"x" * 200_001, "split it")],
)
def test_given_a_document_that_cannot_be_used_it_is_named(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "rules.txt"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=message) as caught:
        read_documents([path])
    assert str(path) in caught.value.message


def test_given_a_missing_document_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_documents([tmp_path / "none.txt"])


def test_given_a_model_that_answers_nothing_it_is_refused(rules: Path) -> None:
    with pytest.raises(ModelError, match="answers no questions"):
        AnswerStage(model=str(SNIPS), documents=[rules]).open()
