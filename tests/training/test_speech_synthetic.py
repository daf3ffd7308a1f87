"""Synthetic speech: which sentences are read aloud, and what becomes of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.speech.coverage import choose
from models.training.speech.manifest import Problems, read_manifest
from models.training.speech.synthetic import main
from models.training.speech.transcript import Pronouncer

COMMON = [f"turn the light {state} in the {room}" for state in ("on", "off") for room in "abcdefgh"]
RARE = ["play the oboe", "voices annoy the boy"]
DOMAIN = Path(__file__).resolve().parents[2] / "configs" / "domains" / "coffee.yaml"


def test_given_many_alike_the_others_come_first() -> None:
    chosen = choose(COMMON + RARE, 8, seed=1)

    assert set(RARE) <= set(chosen)
    assert len(chosen) == len(set(chosen)) == 8


def test_given_values_of_which_some_are_rare_all_are_said() -> None:
    sentences = [f"a cup of {what} please" for what in ("tea", "soy", "milk", "oil")]
    sentences += [f"a cup of tea for {who} please" for who in ("me", "you", "him", "her")]

    words = Counter(word for text in choose(sentences, 6, seed=0) for word in text.split())

    assert {"soy", "milk", "oil"} <= words.keys()


def test_given_what_nobody_can_say_it_is_left_out() -> None:
    sentences = ["call 911", "one", "word " * 30, "turn it on!", "", "price in €"]

    assert choose(sentences, 9, seed=0) == ["turn it on"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(COMMON + RARE)), st.integers(0, 20), st.integers(0, 5))
def test_given_a_seed_the_choice_is_the_same(sentences: list[str], count: int, seed: int) -> None:
    chosen = choose(sentences, count, seed)

    assert chosen == choose(sentences, count, seed)
    assert set(chosen) <= set(sentences)
    assert len(chosen) == min(count, len(set(sentences)))


def test_given_a_domain_and_texts_a_manifest_with_recordings_can_be_trained_on(
    tmp_path: Path,
) -> None:
    (tmp_path / "texts.txt").write_text("voices annoy the boy\nplay the oboe\n")
    into = tmp_path / "synthetic"
    arguments = ["--domain", str(DOMAIN), "--text", str(tmp_path / "texts.txt"), "--count", "3"]

    result = CliRunner().invoke(main, [*arguments, "--into", str(into)], catch_exceptions=False)

    assert result.exit_code == 0, result.output
    problems = Problems()
    utterances = read_manifest(into / "manifest.tsv", Pronouncer(), problems)
    assert (len(utterances), len(problems)) == (5, 0)
    assert all(one.speaker.startswith(("flite-", "espeak-", "festival-")) for one in utterances)
    for one in utterances:
        samples, rate = soundfile.read(one.audio)
        assert rate == 16_000
        assert 0.5 < len(samples) / rate < 12
        assert 0.3 < abs(samples).max() <= 1.01


def test_given_a_machine_that_cannot_speak_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    arguments = ["--domain", str(DOMAIN), "--count", "1", "--into", str(tmp_path / "out")]

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 1
    assert "error: nothing here can speak: install flite, espeak-ng or festival" in result.output


def test_given_texts_that_are_missing_it_names_the_file(tmp_path: Path) -> None:
    arguments = ["--text", str(tmp_path / "none.txt"), "--into", str(tmp_path / "out")]

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 1
    assert "none.txt cannot be read" in result.output
