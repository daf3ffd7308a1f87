"""The parts of training heads without PyTorch: fits, features, thresholds, what is done again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.domain import Domain
from models.errors import DomainError
from models.mobilebert.small_heads import SmallHead
from models.training.domain.calibration import calibrate
from models.training.domain.features import FeatureMaker, Features
from models.training.domain.heads import fit_slots, slot_logits, window_indices
from models.training.domain.mlp import Fitting, Settings, State
from models.training.domain.recipe import content_hash, recipe_hash
from models.training.domain.texts import TextMaker, open_slots
from models.training.language.alignment import OUT_OF_SCOPE, LabelledText
from models.training.language.scopes import Scope

WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
DOMAIN = """\
language: en
intents:
  LampOn:
    data: [{sentences: ["turn on [the] {lamp}", "{lamp} {state}"]}]
  LampOff:
    data: [{sentences: ["turn off [the] {lamp}"]}]
lists:
  lamp: {values: [desk lamp, ceiling light, spotlight, lantern, torch, candle]}
  state: {values: ["on", bright]}
examples: [{text: "what a lamp that is", intent: null}]
"""


@pytest.fixture
def lamps(tmp_path: Path) -> Path:
    path = tmp_path / "lamps.yaml"
    path.write_text(DOMAIN)
    return path


def test_given_what_no_line_divides_a_head_learns_it() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(800, 2)).astype(np.float32)
    targets = (points[:, 0] * points[:, 1] > 0).astype(np.intp)

    fitting = Fitting(
        lambda rows: points[rows], targets, 2, Settings(hidden=32, epochs=30, dropout=0.0, batch=32)
    )
    logits = SmallHead(fitting.run())(points)

    assert (logits.argmax(axis=1) == targets).mean() > 0.95


def test_given_a_run_that_was_broken_off_it_ends_with_the_very_same_weights(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(300, 5)).astype(np.float32)
    targets = rng.integers(0, 3, 300)
    settings = Settings(hidden=8, epochs=6)
    kept = tmp_path / "state.npz"

    def fitting() -> Fitting:
        return Fitting(lambda rows: features[rows], targets, 3, settings)

    def stop(state: State, _loss: float) -> None:
        state.save(kept)
        if state.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitting().run(after=stop)
    resumed = fitting().run(State.load(kept))
    whole = fitting().run()

    for (weight, bias), (other, other_bias) in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(weight, other)
        np.testing.assert_array_equal(bias, other_bias)


def test_given_a_damaged_state_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "state.npz").write_bytes(b"PK\x03\x04 cut short")

    assert State.load(tmp_path / "state.npz") is None
    assert State.load(tmp_path / "none.npz") is None


def test_given_texts_once_read_they_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = FeatureMaker(WEIGHTS / "mobilebert-base", tmp_path, jobs=2)
    texts = ["turn on the light", "a", "what time is it"]

    first = maker(texts)
    monkeypatch.setattr(FeatureMaker, "_compute", lambda *_: pytest.fail("read again"))
    second = maker(texts)

    assert first.counts.tolist() == [4, 1, 4]
    assert len(first.words) == 9
    np.testing.assert_array_equal(first.texts, second.texts)
    np.testing.assert_array_equal(first.words, second.words)


def test_given_a_damaged_chunk_it_is_read_again(tmp_path: Path) -> None:
    maker = FeatureMaker(WEIGHTS / "mobilebert-base", tmp_path, jobs=1)
    first = maker(["turn on the light"])
    (chunk,) = tmp_path.glob("*.npz")
    chunk.write_bytes(chunk.read_bytes()[:100])

    np.testing.assert_array_equal(maker(["turn on the light"]).words, first.words)


def test_given_two_texts_no_window_reaches_from_one_into_the_other() -> None:
    features = Features(
        np.zeros((2, 1), np.float16), np.zeros((3, 1), np.float16), np.array([2, 1])
    )

    windows, starts = window_indices(features)

    empty = 3
    assert windows.tolist() == [[empty, 0, 1], [0, 1, empty], [empty, 2, empty]]
    assert starts.tolist() == [0, 2]


def test_given_tags_that_only_the_neighbour_tells_the_slots_head_learns_them() -> None:
    rng = np.random.default_rng(2)
    words = rng.normal(size=(400, 6)).astype(np.float16)
    texts = []
    for first in range(0, 400, 2):
        tag = "B-name" if words[first, 0] > 0 else "O"
        texts.append(LabelledText(("a", "b"), ("O", tag), "On"))
    features = Features(np.zeros((200, 1), np.float16), words, np.full(200, 2))

    layers = fit_slots(
        features, texts, ("O", "B-name"), settings=Settings(hidden=32, epochs=30, batch=32)
    )
    found = slot_logits(layers, features).argmax(axis=1)

    right = [tag == "B-name" for text in texts for tag in text.tags or ()]
    assert (found == right).mean() > 0.95


def test_given_clear_and_unclear_texts_the_threshold_lets_the_sentences_pass() -> None:
    """Two labels: an intent, and out of scope."""
    sure, unsure, foreign = [6.0, 0.0], [0.5, 0.0], [0.0, 3.0]
    logits = np.array([sure] * 97 + [unsure] * 3 + [foreign] * 98 + [sure] * 2, np.float32)
    right = np.array([0] * 100 + [1] * 100, np.intp)

    found = calibrate(logits, right, [True] * 100 + [False] * 100)

    exp = np.exp(logits / found.temperature)
    confidence = exp[:, 0] / exp.sum(axis=1)
    assert (confidence[:100] >= found.threshold).mean() >= 0.95
    assert (confidence[100:] >= found.threshold).mean() <= 0.02


def test_given_only_another_value_in_an_open_list_the_recipe_is_the_same(lamps: Path) -> None:
    def recipe() -> str:
        return recipe_hash(Domain.load(lamps), "base", 0)

    before, content = recipe(), content_hash(lamps)
    lamps.write_text(DOMAIN.replace("torch", "big torch"))
    assert recipe() == before
    assert content_hash(lamps) != content
    for old, new in [
        ("bright", "very bright"),
        ("turn off", "switch off"),
        ("LampOn:", "LampBright:"),
        ("what a lamp", "what another lamp"),
    ]:
        lamps.write_text(DOMAIN.replace(old, new))
        assert recipe() != before, new


def test_given_lists_of_names_and_of_states_only_the_names_are_open(lamps: Path) -> None:
    assert open_slots(Domain.load(lamps)) == ("lamp",)


def test_given_a_domain_its_texts_do_not_overlap_and_hold_what_it_rejects(lamps: Path) -> None:
    texts = TextMaker(Domain.load(lamps), Scope(), seed=0, sentences=40).make()

    assert {text.intent for text in texts.train} == {"LampOn", "LampOff", OUT_OF_SCOPE}
    held_out = {text.text for text in texts.held_out}
    assert held_out
    assert not held_out & {text.text for text in texts.plain}
    assert "what a lamp that is" in {
        text.text for text in texts.train if text.intent == OUT_OF_SCOPE
    }


def test_given_a_domain_of_one_sentence_there_is_something_to_judge_it_by(lamps: Path) -> None:
    lamps.write_text("language: en\nintents: {Stop: {data: [{sentences: [stop it]}]}}\n")

    texts = TextMaker(Domain.load(lamps), Scope(), seed=0, sentences=20).make()

    assert {text.text for text in texts.held_out} == {"stop it"}
    assert OUT_OF_SCOPE in {text.intent for text in texts.calibration}


def test_given_a_language_without_shipped_texts_the_domain_makes_its_own(lamps: Path) -> None:
    lamps.write_text(DOMAIN.replace("language: en", "language: de"))

    texts = TextMaker(Domain.load(lamps), Scope(), seed=0, sentences=40).make()

    assert OUT_OF_SCOPE in {text.intent for text in texts.train}
    assert OUT_OF_SCOPE in {text.intent for text in texts.calibration}


def test_given_a_file_that_is_not_there_its_hash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"nowhere\.yaml"):
        content_hash(tmp_path / "nowhere.yaml")
