"""What was trained lies in numbered versions, and one of them is in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.catalogue.trained import KEPT, Trained, TrainedFacts
from models.errors import ModelError


def facts(number: int) -> TrainedFacts:
    return TrainedFacts(
        domain="lamps", number=number, mode="fast", recipe="r", content="c", base="b"
    )


def publish(trained: Trained) -> Path:
    number = trained.next_number()
    making = trained.root / ".making"
    making.mkdir()
    (making / "labels.json").write_text(f"{number}")
    return trained.publish(making, facts(number))


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    root = tmp_path / "lamps.trained"
    root.mkdir()
    return Trained(root)


def test_given_nothing_then_nothing_is_in_use(tmp_path: Path) -> None:
    nothing = Trained(tmp_path / "none.trained")

    assert (nothing.version, nothing.grammar, nothing.facts()) == (None, None, None)


def test_given_a_new_version_it_is_in_use(trained: Trained) -> None:
    publish(trained)
    second = publish(trained)

    assert trained.version == second
    assert trained.facts() == facts(2)
    assert (second / "labels.json").read_text() == "2"


def test_given_many_versions_the_last_ones_stay(trained: Trained) -> None:
    for _ in range(KEPT + 2):
        publish(trained)

    there = sorted(path.name for path in trained.root.iterdir() if path.name.isdecimal())
    assert there == ["3", "4", "5"]


def test_given_a_pointer_to_nothing_it_says_so(trained: Trained) -> None:
    (trained.root / "current").write_text("7\n")

    with pytest.raises(ModelError, match="names version '7', which is not there: train again"):
        _ = trained.version


def test_given_a_second_run_at_the_same_time_it_is_refused(trained: Trained) -> None:
    with (
        trained.locked(),
        pytest.raises(ModelError, match="is being trained by another"),
        Trained(trained.root).locked(),
    ):
        pass


def test_given_a_place_where_nobody_may_write_the_mend_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(ModelError, match="name another place with --out"),
        Trained(tmp_path / "file" / "x.trained").locked(),
    ):
        pass


def test_given_a_base_it_is_kept_beside_the_versions_once(trained: Trained, tmp_path: Path) -> None:
    base = tmp_path / "mobilebert-base"
    base.mkdir()
    (base / "model.onnx").write_bytes(b"network")

    name = trained.keep_base(base, "0123456789abcdef")

    assert name == trained.keep_base(base, "0123456789abcdef") == "base-01234567"
    assert (trained.root / name / "model.onnx").read_bytes() == b"network"
