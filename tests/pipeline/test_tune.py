"""``intentd tune``: settings from recordings, in a file that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ConfigurationError
from models.metrics import Cost
from models.vosk.decoding import decoding_options
from pipeline.evaluation import tuning
from pipeline.evaluation.recommending import default_target, write_recommendation
from pipeline.evaluation.running import prepare
from pipeline.evaluation.tuning import THRESHOLD, Tuner
from pipeline.loading import load_configuration

ROOT = Path(__file__).resolve().parents[2]

STRICT = """\
# of my own
domain: coffee
transcriber: {model: vosk-en, grammar: vosk-coffee}
understanders:
  - model: mobilebert-coffee  # the model
    threshold: 1.0
"""


def test_given_a_threshold_that_rejects_all_then_a_better_one_is_recommended(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "SETTINGS", (THRESHOLD,))
    mine = tmp_path / "mine.yaml"
    mine.write_text(STRICT)
    data = recordings / "coffee" / "expect.ndjson"
    prepared = prepare(data, str(mine))
    told: list[str] = []
    tuned = Tuner(prepared, jobs=1, cost=Cost(), tell=told.append).tune(trials=4, seed=1)
    assert list(tuned.values) == [THRESHOLD.key]
    assert tuned.values[THRESHOLD.key] < 1
    assert tuned.decodings == len(told) == 2  # as configured, and as recommended
    for part in ("search", "held out"):
        before, after = tuned.before[part].acceptance.value, tuned.after[part].acceptance.value
        assert before is not None
        assert after is not None
        assert before < after
    target = default_target(str(mine))
    assert target == tmp_path / "mine.tuned.yaml"
    settings = prepared.job.configuration
    write_recommendation(tuned, str(mine), settings, str(data), target)
    written = target.read_text()
    assert "# of my own" in written
    assert "tuned; it was 1" in written
    assert "held out: accepted" in written
    loaded = load_configuration(str(target))
    assert loaded.understanders[0].threshold == tuned.values[THRESHOLD.key]


def test_given_relative_paths_then_the_file_is_not_written_where_they_mean_others(
    tmp_path: Path, recordings: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "my.yaml").write_text(
        (ROOT / "configs" / "domains" / "coffee.yaml").read_text()
    )
    mine = tmp_path / "own" / "mine.yaml"
    mine.write_text(STRICT.replace("domain: coffee", "domain: my.yaml"))
    settings = load_configuration(str(mine))
    nothing = tuning.Tuned(
        values={}, before={}, after={}, held_out=tuning.mcnemar([], []), trials=1, decodings=1
    )
    with pytest.raises(ConfigurationError, match="relative paths"):
        write_recommendation(nothing, str(mine), settings, "data", tmp_path / "other.yaml")
    assert not (tmp_path / "other.yaml").exists()
    few = tmp_path / "few.ndjson"
    recording = recordings / "coffee" / "make-me-a-medium-cappuccino.wav"
    few.write_text(f'{{"audio": "{recording}", "intent": null}}\n')
    with pytest.raises(ConfigurationError, match="too few"):
        Tuner(prepare(few, "coffee"), jobs=1, cost=Cost(), tell=print)


def test_given_a_grammar_weight_then_the_sound_weighs_less() -> None:
    model = ROOT / "models" / "weights" / "vosk-en"
    assert decoding_options(model) == {}
    own = decoding_options(model, grammar_weight=1.0000001)["acoustic-scale"]
    assert decoding_options(model, beam=11.0, grammar_weight=2.0) == {
        "beam": 11.0,
        "acoustic-scale": pytest.approx(own / 2, rel=1e-4),
    }
