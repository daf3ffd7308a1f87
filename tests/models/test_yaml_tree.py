"""YAML that would never end to be walked is refused at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from models.domain import Domain
from models.errors import ConfigurationError, DomainError
from models.yaml_tree import MalformedYamlError, parse
from pipeline.loading import parse_configuration

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    LAUGHS: "unfold into too much",
    "a: &a [*a]\n": "contains itself",
    "[" * 3000: "not",
    "{a: 2001-99-99}\n": "month",
    "a: !!python/object/apply:os.system [ls]\n": "could not determine a constructor",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20].strip())
def test_hostile_yaml_is_refused_within_a_second(text: str, tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(ConfigurationError, match=HOSTILE[text]):
        parse_configuration(text, tmp_path / "c.yaml")
    (tmp_path / "d.yaml").write_text(text)
    with pytest.raises(DomainError, match=HOSTILE[text]):
        Domain.load(tmp_path / "d.yaml")
    assert time.process_time() - began < 1


def test_honest_aliases_stay() -> None:
    _, data = parse("a: &a [1, 2]\nb: [*a, *a]\n")
    assert data == {"a": [1, 2], "b": [[1, 2], [1, 2]]}


def test_a_mistake_behind_the_end_is_in_the_last_line() -> None:
    with pytest.raises(MalformedYamlError) as caught:
        parse("a: [1\n")
    assert caught.value.line == 1
