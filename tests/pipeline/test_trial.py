"""What was trained is tested by the file's own examples and by recordings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "weights"
ORDER = "get-me-a-small-dark-roast-espresso"
EXAMPLES = """
examples:
  - {text: "Get me a large latte", intent: orderDrink, slots: {size: large, coffeeDrink: latte}}
  - {text: "get me a small latte", intent: orderDrink, slots: {size: large, coffeeDrink: latte}}
  - {text: "what time is it", intent: null}
  - {text: "i'd like an espresso", intent: null}
"""


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The shipped coffee model as if it had been trained here."""
    folder = tmp_path / "1"
    folder.mkdir()
    for path in (WEIGHTS / "mobilebert-coffee").iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "grammar").symlink_to(WEIGHTS / "vosk-coffee", target_is_directory=True)
    return folder


def test_given_examples_and_recordings_each_that_differs_is_named(
    version: Path, tmp_path: Path, recordings: Path
) -> None:
    domain = tmp_path / "coffee.yaml"
    domain.write_text((ROOT / "configs" / "domains" / "coffee.yaml").read_text() + EXAMPLES)
    heard = tmp_path / "coffee.recordings"
    heard.mkdir()
    for name, expected in (("right", '"dark roast"'), ("wrong", '"light roast"')):
        shutil.copy(recordings / "coffee" / f"{ORDER}.flac", heard / f"{name}.flac")
        (heard / f"{name}.json").write_text(
            '{"intent": "orderDrink", "slots": {"size": "small", "coffeeDrink": "espresso", '
            f'"roast": {expected}}}}}'
        )

    text, speech = Trial(domain, version, "vosk-en", heard).run()

    assert "2 of 4 understood as written" in text.summary
    assert any("slot size: expected large, got small" in line for line in text.failures)
    assert any("expected a rejection, got orderDrink" in line for line in text.failures)
    assert all("coffee.yaml, line" in line for line in text.failures)
    assert speech.summary == "recordings: 1 of 2 understood as written"
    assert "wrong.flac: slot roast: expected light roast, got dark roast" in speech.failures[0]


def test_given_neither_there_is_nothing_to_test(version: Path, tmp_path: Path) -> None:
    domain = ROOT / "configs" / "domains" / "coffee.yaml"

    assert list(Trial(domain, version, "vosk-en", tmp_path / "none").run()) == []
