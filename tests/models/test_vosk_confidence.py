"""A confidence is the probability that the word was said."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import find
from models.errors import ModelError
from models.vosk.assemble import Parts, assemble
from models.vosk.calibrate import main
from models.vosk.confidence import (
    CONFIDENCE_FILE,
    Confidence,
    calibration_error,
    fit,
    read_confidence,
    write_confidence,
)
from models.vosk.recogniser import SpeechModel

CURVE = Confidence(scale=0.5, offset=-1.0, words=100, error_before=0.2, error=0.01)


def words(count: int, scale: float, offset: float) -> tuple[list[float], list[bool]]:
    """Confidences, and words that are right as often as the curve says."""
    rng = np.random.default_rng(2)
    shares = rng.uniform(0.01, 0.99, count)
    odds = scale * np.log(shares / (1 - shares)) + offset
    return shares.tolist(), (rng.random(count) < 1 / (1 + np.exp(-odds))).tolist()


def test_given_a_recogniser_that_is_too_sure_then_the_curve_says_how_sure_it_may_be() -> None:
    shares, right = words(5000, 0.5, -1.0)
    found = fit(shares, right)
    assert (found.scale, found.offset) == pytest.approx((0.5, -1.0), abs=0.1)
    assert found.error < 0.03 < found.error_before
    assert found.words == 5000
    assert calibration_error([found.probability(share) for share in shares], right) < 0.03


@pytest.mark.parametrize("right", [True, False])
def test_given_words_that_are_all_alike_then_the_curve_is_still_one(right: bool) -> None:
    found = fit([0.5 + n / 200 for n in range(50)], [right] * 50)
    assert np.isfinite([found.scale, found.offset]).all()
    assert (found.probability(0.9) > 0.9) is right


def test_given_too_few_words_then_it_says_so() -> None:
    with pytest.raises(ModelError, match="3 words are too few"):
        fit([0.1, 0.5, 0.9], [False, True, True])


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_greater_confidence_is_never_worth_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= CURVE.probability(low) <= CURVE.probability(high) <= 1


def test_the_error_is_the_mean_distance_of_what_is_said_from_what_is_so() -> None:
    assert calibration_error([0.95] * 10, [True] * 10) == pytest.approx(0.05)
    assert calibration_error([0.15] * 5 + [0.85] * 5, [False] * 5 + [True] * 5) == pytest.approx(
        0.15
    )


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    assert read_confidence(tmp_path) is None
    (tmp_path / CONFIDENCE_FILE).write_text('{"scale": "much"}')
    with pytest.raises(ModelError, match=r"confidence\.json is not a confidence curve"):
        read_confidence(tmp_path)


def test_a_grammars_own_curve_takes_the_place_of_the_bases(tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(find("vosk-en"), base)
    grammar = tmp_path / "grammar"
    shutil.copytree(find("vosk-coffee"), grammar)
    (grammar / CONFIDENCE_FILE).unlink(missing_ok=True)
    write_confidence(base, CURVE)

    assert read_confidence(assemble(Parts(base=base), tmp_path)) == CURVE
    assert read_confidence(assemble(Parts(base=base, grammar=grammar), tmp_path)) is None
    write_confidence(grammar, CURVE)
    assert read_confidence(assemble(Parts(base=base, grammar=grammar), tmp_path)) == CURVE


def test_given_recordings_with_texts_then_the_command_measures_and_the_model_uses_it(
    tmp_path: Path, recordings: Path
) -> None:
    grammar = tmp_path / "grammar"
    shutil.copytree(find("vosk-coffee"), grammar)
    write_confidence(grammar, CURVE)
    listed = tmp_path / "list.ndjson"
    rows = [
        {"audio": str(path), "text": path.stem.replace("id-", "i'd-").replace("-", " ")}
        for path in sorted((recordings / "coffee").iterdir())
        if path.suffix != ".ndjson"
    ]
    rows[0]["text"] = "nobody said any of this"
    listed.write_text("".join(json.dumps(row) + "\n" for row in rows))

    done = CliRunner().invoke(main, [str(find("vosk-en")), str(listed), "--grammar", str(grammar)])

    assert done.exit_code == 0, done.output
    found = read_confidence(grammar)
    assert found is not None
    assert found.error < found.error_before
    assert f"{found.words} words in {len(rows)} recordings" in done.output
    model = SpeechModel(assemble(Parts(base=find("vosk-en"), grammar=grammar), tmp_path))
    recogniser = model.recogniser()
    recogniser.accept(bytes(16_000))
    assert all(0 <= (word.confidence or 0) <= 1 for word in recogniser.finish().words)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"audio": "a.wav"}', "line 1: .*text.*; give audio and text"),
        ('{"audio": "none.wav", "text": "hi"}', "none.wav can't be read"),
        ("{", "line 1: "),
    ],
)
def test_given_a_bad_list_then_the_error_names_the_place_and_the_old_file_stays(
    tmp_path: Path, line: str, message: str
) -> None:
    grammar = tmp_path / "grammar"
    shutil.copytree(find("vosk-coffee"), grammar)
    write_confidence(grammar, CURVE)
    (tmp_path / "list.ndjson").write_text(line + "\n")
    arguments = [str(find("vosk-en")), str(tmp_path / "list.ndjson"), "--grammar", str(grammar)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2

    assert re.search(message, done.output)
    assert read_confidence(grammar) == CURVE
