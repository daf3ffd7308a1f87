"""What is wrong in a domain file is named with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.domain import Domain
from models.errors import DomainError

LISTS = "          - go\nlists:\n  a: "
"""A sentence, and the list a in line 8."""

HEAD = "language: en\nintents:\n  Go:\n    data:\n      - sentences:\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", None, "the file is empty"),
        ("# nothing here\n", None, "the file is empty"),
        ("language: [en\n", 2, "not valid YAML"),
        ("- language\n", 1, "must be a mapping of names, not a list"),
        ("intents: {}\n", 1, "language: must be a string, not nothing"),
        ("language: en\n", 1, "intents: must be a mapping"),
        ("language: en\nintents: {}\n", 2, "intents: there are none"),
        (
            "language: en\nintens:\n  Go: {}\n",
            2,
            "intens: unknown key; known are language, intents",
        ),
        ("language: en\nintents:\n  Go: {dta: []}\n", 3, "intents.Go.dta: unknown key"),
        ("language: en\nintents:\n  Go:\n    data: []\n", 4, "intents.Go.data: the list is empty"),
        (
            f"{HEAD}          - go\n        slots: {{a: b}}\n",
            7,
            "slots: unknown key; known are sentences",
        ),
        (
            f"{HEAD}          - go\n          - on\n          - off\n          - yes\n",
            7,
            "put it in quotes",
        ),
        (f"{HEAD}          - ' '\n", 6, "is blank"),
        (
            f"{HEAD}          - go\n          - 'go (left|right'\n",
            7,
            '"go (left|right" has unbalanced',
        ),
        (f"{HEAD}          - 'go <where>'\n", 6, "there is no expansion rule <where>"),
        (f"{HEAD}          - 'go {{where}}'\n", 6, "there is no list {where}"),
        (f"{HEAD}          - 'go 2 steps'\n", 6, '"2" is not a spoken word'),
        (f"{HEAD}          - 'go, please'\n", 6, '"go," is not a spoken word'),
        (
            f"{HEAD}          - 'go <a>'\nexpansion_rules:\n  a: 'x <b>'\n  b: 'y <a>'\n",
            9,
            "refers to itself: a → b → a",
        ),
        (
            f"{HEAD}          - go\nexpansion_rules:\n  unused: '<lost>'\n",
            8,
            "no expansion rule <lost>",
        ),
        (
            f"{HEAD}{LISTS}{{values: []}}\n",
            8,
            "lists.a.values: the list is empty",
        ),
        (f"{HEAD}          - go\nlists:\n  a:\n    values: [x, on]\n", 9, "not true or false"),
        (
            f"{HEAD}{LISTS}{{values: [{{in: x, out: [1]}}]}}\n",
            8,
            "string or a number",
        ),
        (f"{HEAD}{LISTS}{{wildcard: true}}\n", 8, "list its likely values"),
        (f"{HEAD}{LISTS}{{}}\n", 8, "needs either values or range"),
        (
            f"{HEAD}{LISTS}{{range: {{from: 5, to: 1}}}}\n",
            8,
            "from must not be above",
        ),
        (
            f"{HEAD}{LISTS}{{range: {{from: 1}}}}\n",
            8,
            "must be a whole number",
        ),
        (
            f"{HEAD}{LISTS}{{range: {{from: 1, to: 2, fractions: thirds}}}}\n",
            8,
            "fractions: must be halves or tenths",
        ),
        (
            f"{HEAD}          - go\nskip_words:\n  - please\n  - 3\n",
            9,
            "skip_words.1: must be a string",
        ),
        (
            f"{HEAD.replace('en', 'xx', 1)}{LISTS}{{range: {{from: 1, to: 2}}}}\n",
            8,
            'no number words are known for the language "xx"',
        ),
    ],
)
def test_given_a_mistake_then_the_error_names_its_place(
    tmp_path: Path, text: str, line: int | None, problem: str
) -> None:
    path = tmp_path / "mistaken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DomainError) as caught:
        Domain.load(path)
    message = caught.value.message
    assert message.startswith(f"{path}, line {line}: " if line else f"{path}: ")
    assert problem in message
    assert "\n" not in message


def test_given_no_file_then_the_error_names_it(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"lost\.yaml: there is no such domain file"):
        Domain.load(tmp_path / "lost.yaml")


def test_given_bytes_that_are_no_text_then_the_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "noise.yaml"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(DomainError, match=r"noise\.yaml: can't be read as UTF-8 text"):
        Domain.load(path)
