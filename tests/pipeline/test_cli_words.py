"""``intentd words`` as a user types it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner, Result

from pipeline.cli import main

DOMAIN = """
language: en
intents:
  Play:
    data:
      - sentences: ["play {artist}"]
lists:
  artist:
    values: ["zyxel", "aardvark"]
"""


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    path = tmp_path / "music.yaml"
    path.write_text(DOMAIN)
    return path


def words(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["words", *map(str, arguments)])


def test_given_a_domain_then_check_says_which_words_are_new_and_how_they_sound(
    domain: Path,
) -> None:
    result = words("check", "--domain", domain)
    assert result.exit_code == 0
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert [row[:2] for row in rows] == [
        ["aardvark", "dictionary"],
        ["play", "model"],
        ["zyxel", "guessed"],
    ]
    assert rows[1][2] == "P L EY"
    assert "3 words: 1 in the model, 2 new" in result.stderr
    assert "intentd words set" in result.stderr


def test_given_a_word_is_set_then_it_stands_beside_the_domain_and_counts(domain: Path) -> None:
    result = words("set", "Zyxel", "Z AY1 S AH0 L", "Z IH K S AH L", "--domain", domain)
    assert result.exit_code == 0
    file = domain.with_name("music.pronunciations.txt")
    assert result.stdout == f"{file}: zyxel is Z AY S AH L, or Z IH K S AH L\n"
    checked = words("check", "zyxel", "--domain", domain)
    assert checked.stdout.split(maxsplit=2) == [
        "zyxel",
        "yours",
        "Z AY S AH L  |  Z IH K S AH L\n",
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("set", "tea", "T IX", "--domain", "{domain}"), "tea: IX is no phone; did you mean"),
        (("set", "tea", "T IY"), "give the domain that the word is of with --domain, or --file"),
        (("set", "tea", "T IY", "--domain", "coffee"), "coffee is a shipped domain"),
        (("set", "iced tea", "T IY", "--domain", "{domain}"), '"iced tea" is not one word'),
        (("check",), "give words, or a domain with --domain"),
        (("check", "7up"), "no pronunciation for 7up: give one with: intentd words set 7up"),
        (("check", "tea", "--file", "{domain}"), "music.yaml:2: language:: en is no phone"),
        (("say", "7up"), "no pronunciation for 7up"),
    ],
)
def test_given_bad_input_then_one_line_says_what_is_wrong(
    domain: Path, arguments: tuple[str, ...], problem: str
) -> None:
    result = words(*(argument.format(domain=domain) for argument in arguments))
    assert result.exit_code == 2
    assert problem in result.stderr
    assert len([line for line in result.stderr.splitlines() if "error" in line]) == 1


def test_given_no_espeak_then_say_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    result = words("say", "latte")
    assert result.exit_code == 2
    assert "install the package espeak-ng" in result.stderr


@pytest.mark.needs("espeak-ng", "espeak-ng")
def test_given_phones_then_say_speaks_them(tmp_path: Path) -> None:
    result = words("say", "zyxel", "Z AY S AH L", "--out", tmp_path / "zyxel.wav")
    assert result.exit_code == 0, result.stderr
    samples, rate = soundfile.read(tmp_path / "zyxel.wav")
    assert 0.3 < len(samples) / rate < 3
    assert abs(samples).max() > 0.05
