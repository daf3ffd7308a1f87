"""The understander: one class for a joint model, a classifier and a tagger, alone or in a chain."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from models.errors import ConfigurationError, DomainError, ModelError
from stages.messages import Intent, Partial, Span, Transcript, Word
from stages.understander import Understander

ROOT = Path(__file__).resolve().parents[2]
SNIPS = ROOT / "tests/data/models/mobilebert-snips"
COFFEE = ROOT / "configs/domains/coffee.yaml"
UNSURE = "the workout in the city"
SONG = "add a tune to my workout playlist"
ORDER = "can i have a large latte with some soy milk"


def heard(text: str) -> Transcript:
    return Transcript(
        source="kitchen", stream="s", id="1", text=text, speech=Span(start=0, end=1), position=1
    )


def opened(model: Path | str, **options: object) -> Understander:
    stage = Understander(model=str(model), **options)  # type: ignore[arg-type]
    assert list(stage.open()) == []
    return stage


def understood(stage: Understander, message: Transcript) -> Transcript:
    [made] = stage.process(message)
    assert isinstance(made, Transcript)
    return made


def slots_of(message: Transcript) -> dict[str, object]:
    return {slot.name: slot.value for slot in message.slots}


@pytest.fixture(scope="module")
def coffee() -> Understander:
    return opened("mobilebert-coffee", domain=COFFEE)


def with_heads(folder: Path, *kinds: str) -> Path:
    """The same network with fewer heads: a plain classifier, or a plain tagger."""
    folder.mkdir()
    for path in SNIPS.iterdir():
        (folder / path.name).symlink_to(path)
    labels = json.loads((SNIPS / "labels.json").read_text())
    labels["heads"] = [head for head in labels["heads"] if head["kind"] in kinds]
    if "slots" not in kinds or "intent" not in kinds:
        labels.pop("intent_slots", None)
    labels["name"] = f"snips-{'-'.join(kinds)}"
    (folder / "labels.json").unlink()
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


def test_a_joint_model_adds_intent_slots_timing_and_its_name(coffee: Understander) -> None:
    made = understood(coffee, heard(ORDER))
    assert made.intent is not None
    assert made.intent.name == "orderDrink"
    assert made.accepted
    assert slots_of(made) == {
        "size": "large",
        "coffeeDrink": "latte",
        "milkAmount": "some soy milk",
    }
    assert made.timings["understand"] > 0
    assert made.models["nlu"].startswith("mobilebert-coffee@")


def test_offsets_point_at_the_words_in_the_text(coffee: Understander) -> None:
    made = understood(coffee, heard(ORDER))
    assert made.slots
    for slot in made.slots:
        assert made.text[slot.start : slot.end] == slot.raw
        assert 0 < slot.confidence <= 1


@pytest.mark.parametrize("text", ["[unk]", "[unk] [unk]", "where is the train station"])
def test_what_is_not_in_the_domain_is_not_accepted(coffee: Understander, text: str) -> None:
    made = understood(coffee, heard(text))
    assert not made.accepted
    assert made.intent is not None, "the best guess is still told"


def test_an_empty_text_has_no_meaning(coffee: Understander) -> None:
    made = understood(coffee, heard(""))
    assert (made.intent, made.accepted, made.slots) == (None, False, ())


def test_below_the_threshold_the_guess_is_kept_but_not_accepted() -> None:
    guess = understood(opened(SNIPS, threshold=0.0), heard(UNSURE)).intent
    assert guess is not None
    assert guess.confidence < 0.99, "the text is to be one that leaves doubt"
    made = understood(opened(SNIPS, threshold=guess.confidence + 0.005), heard(UNSURE))
    assert (made.intent, made.accepted) == (guess, False)


def test_an_intent_can_have_a_threshold_of_its_own() -> None:
    guess = understood(opened(SNIPS, threshold=0.0), heard(UNSURE)).intent
    assert guess is not None
    lenient = opened(SNIPS, threshold=1.0, thresholds={guess.name: guess.confidence - 0.01})
    assert understood(lenient, heard(UNSURE)).accepted


def test_a_plain_classifier_gives_an_intent_and_no_slots(tmp_path: Path) -> None:
    made = understood(opened(with_heads(tmp_path / "m", "intent")), heard(SONG))
    assert made.intent is not None
    assert made.intent.name == "AddToPlaylist"
    assert made.slots == ()


def test_a_plain_tagger_gives_slots_and_no_intent(tmp_path: Path) -> None:
    made = understood(opened(with_heads(tmp_path / "m", "slots")), heard(SONG))
    assert made.intent is None
    assert not made.accepted
    assert slots_of(made)["playlist"] == "workout"


def test_in_a_chain_a_later_one_adds_what_is_missing(tmp_path: Path) -> None:
    tagger = opened(with_heads(tmp_path / "t", "slots"))
    classifier = opened(with_heads(tmp_path / "c", "intent"))
    made = understood(classifier, understood(tagger, heard(SONG)))
    joint = understood(opened(SNIPS), heard(SONG))
    assert made.intent is not None
    assert joint.intent is not None
    assert made.intent.name == joint.intent.name
    assert slots_of(made).keys() >= slots_of(joint).keys()
    assert set(made.models) == {"nlu", "nlu2"}


def test_in_a_chain_an_accepted_intent_stays(coffee: Understander) -> None:
    first = understood(coffee, heard(ORDER))
    second = understood(opened(SNIPS, threshold=0.0), first)
    assert second.intent == first.intent
    assert second.accepted
    for slot in first.slots:
        assert slot in second.slots


def test_in_a_chain_a_better_rejected_guess_is_not_accepted_by_a_worse_one() -> None:
    better = Intent(name="other", confidence=0.995)
    rejected = msgspec.structs.replace(heard(UNSURE), intent=better)
    made = understood(opened(SNIPS, threshold=0.0), rejected)
    assert (made.intent, made.accepted) == (better, False)


def test_alternatives_are_the_other_intents_best_first() -> None:
    made = understood(opened(SNIPS), heard("play the book of the year"))
    confidences = [alternative.confidence for alternative in made.alternatives]
    assert confidences == sorted(confidences, reverse=True)
    assert all(a.name != made.intent.name for a in made.alternatives if made.intent)


def test_other_messages_pass(coffee: Understander) -> None:
    partial = Partial(source="kitchen", stream="s", id="1", text="can i")
    assert list(coffee.process(partial)) == [partial]


def test_what_is_missing_is_named_at_start(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mobilebert-tea"):
        Understander(model="mobilebert-tea").open()
    with pytest.raises(ConfigurationError, match="orderTea"):
        Understander(model=str(SNIPS), thresholds={"orderTea": 0.5}).open()
    (tmp_path / "broken.yaml").write_text("intents: [")
    with pytest.raises(DomainError, match=r"broken\.yaml"):
        Understander(model=str(SNIPS), domain=tmp_path / "broken.yaml").open()


TIMERS = """
language: en
intents:
  HassStartTimer:
    threshold: 0.2
    data:
      - sentences: ["set a timer for {minutes} minutes"]
        slots: {device: oven}
      - sentences: ["set a timer for {hours} hours"]
  HassGetCurrentTime:
    threshold: 1.0
    data:
      - sentences: ["what time is it"]
lists:
  minutes: {type: number}
  hours: {range: {from: 1, to: 24, type: percentage}}
"""


@pytest.fixture(scope="module")
def timers(tmp_path_factory: pytest.TempPathFactory) -> Understander:
    path = tmp_path_factory.mktemp("domain") / "timers.yaml"
    path.write_text(TIMERS)
    return opened("mobilebert-home", domain=path)


def test_given_spoken_numbers_then_slots_have_raw_words_and_typed_values(
    timers: Understander,
) -> None:
    made = understood(timers, heard("set a timer for twenty five minutes"))
    slot = made.slots[0]
    assert (slot.name, slot.raw, slot.value, slot.type) == ("minutes", "twenty five", 25, "number")
    assert slot.unit is msgspec.UNSET
    made = understood(timers, heard("set a timer for two hours"))
    assert [(s.raw, s.value, s.type, s.unit) for s in made.slots] == [
        ("two", 2, "percent", "percent")
    ]


def test_given_a_sentence_that_implies_slots_then_they_are_there_without_words(
    timers: Understander,
) -> None:
    made = understood(timers, heard("set a timer for ten minutes"))
    implied = made.slots[-1]
    assert (implied.name, implied.value, implied.raw) == ("device", "oven", "")
    assert (implied.start, implied.end) == (0, 0)
    broken_off = understood(timers, heard("set a timer for ten"))
    assert "device" not in [slot.name for slot in broken_off.slots], "no template covers it"


def test_given_n_best_transcripts_then_the_first_that_means_something_is_taken() -> None:
    coffee = opened("mobilebert-coffee", domain=COFFEE)
    others = ("gate me along", "what is it", "get me an espresso", "get me a large espresso")
    message = msgspec.structs.replace(heard(others[0]), transcripts=others)

    made = understood(coffee, message)

    assert made.accepted
    assert (made.text, made.words) == ("get me an espresso", ())
    assert [slot.raw for slot in made.slots] == ["espresso"]
    assert made.transcripts == others
    assert not understood(opened("mobilebert-coffee", domain=COFFEE, rerank=2), message).accepted


def test_given_n_best_transcripts_of_which_none_means_anything_then_the_best_stays() -> None:
    others = ("gate me along", "what is it")
    message = msgspec.structs.replace(heard(others[0]), transcripts=others)

    made = understood(opened("mobilebert-coffee", domain=COFFEE), message)

    assert (made.text, made.accepted, made.words) == (others[0], False, message.words)


def test_given_thresholds_in_the_domain_then_they_count_unless_configured(
    timers: Understander, tmp_path: Path
) -> None:
    assert not understood(timers, heard("what time is it")).accepted
    path = tmp_path / "timers.yaml"
    path.write_text(TIMERS)
    lenient = opened("mobilebert-home", domain=path, thresholds={"HassGetCurrentTime": 0.3})
    assert understood(lenient, heard("what time is it")).accepted


def test_what_a_template_covers_is_accepted_where_only_the_model_has_a_threshold(
    tmp_path: Path,
) -> None:
    """Nobody who reads a sentence in the domain's file would understand that it is rejected."""
    folder = tmp_path / "strict"
    folder.mkdir()
    for path in (ROOT / "models" / "weights" / "mobilebert-coffee").iterdir():
        (folder / path.name).symlink_to(path)
    labels = json.loads((folder / "labels.json").read_text())
    labels["heads"][0]["threshold"] = 1.0
    (folder / "labels.json").unlink()
    (folder / "labels.json").write_text(json.dumps(labels))

    trusted = opened(str(folder), domain=COFFEE, threshold=None)
    covered = understood(trusted, heard(ORDER))
    other = understood(trusted, heard("so get me that large latte with some soy milk thanks"))
    strict = understood(opened(str(folder), domain=COFFEE, threshold=1.0), heard(ORDER))

    assert covered.accepted
    assert slots_of(covered) == {
        "size": "large",
        "coffeeDrink": "latte",
        "milkAmount": "some soy milk",
    }
    assert (other.accepted, strict.accepted) == (False, False)


def with_confidence(text: str, confidence: float | None) -> Transcript:
    words = tuple(
        Word(word=word, start=0.0, end=0.1, confidence=confidence) for word in text.split()
    )
    return msgspec.structs.replace(heard(text), words=words)


@pytest.mark.parametrize(("confidence", "accepted"), [(1.0, True), (0.5, False), (None, True)])
def test_given_words_that_the_recogniser_doubts_then_they_are_no_command(
    coffee: Understander, confidence: float | None, accepted: bool
) -> None:
    message = understood(coffee, with_confidence(ORDER, confidence))
    assert message.accepted is accepted
    assert message.intent is not None


def test_given_no_lowest_word_confidence_then_doubted_words_are_a_command_too() -> None:
    stage = opened("mobilebert-coffee", domain=COFFEE, word_confidence=0.0)
    assert understood(stage, with_confidence(ORDER, 0.1)).accepted
