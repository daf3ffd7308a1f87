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
        ("language: [en\n", 1, "not valid YAML"),
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
            f"{HEAD}          - go\n        slot: {{a: b}}\n",
            7,
            "slot: unknown key; known are sentences",
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
        (f"{HEAD}{LISTS}{{wildcard: false}}\n", 8, "must be true"),
        (f"{HEAD}{LISTS}{{type: minutes}}\n", 8, "type: must be one of number, ordinal"),
        (f"{HEAD}{LISTS}{{values: [a], range: {{}}}}\n", 8, "needs either values or range"),
        (f"{HEAD}{LISTS}{{values: ['2 rooms']}}\n", 8, "can't be spoken"),
        (
            f"{HEAD}          - go\nslots: {{where: {{type: text}}}}\n",
            7,
            "no sentence has this slot",
        ),
        (f"{HEAD}          - go\nexamples:\n  - {{text: go}}\n", 8, "needs an intent"),
        (f"{HEAD}          - go\nexamples:\n  - {{text: a, intent: B}}\n", 8, "no intent 'B'"),
        (f"{HEAD}          - go\nexamples:\n  - {{text: a, intent: [B]}}\n", 8, "no intent ['B']"),
        ("language: en\nlanguage: de\n", 2, "language stands here a second time"),
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
    assert message.startswith(f"{path}, line {line}, column " if line else f"{path}: ")
    assert problem in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("template", "column", "problem"),
    [
        ("go (left|right", 17, 'the template "go (left|right" has unbalanced'),
        ("go left) now", 21, "unbalanced"),
        ("go (a;b;c;d;e;f;g;h)", 19, "has 8 parts in any order: at most 7 can be"),
        ("go to {where} now", 20, 'there is no list {where} for "go to {where} now"'),
        ("go <slowly>", 17, 'there is no expansion rule <slowly> for "go <slowly>"'),
        ("go 2 steps", 17, '"2" is not a spoken word: use letters only, in "go 2 steps"'),
    ],
)
def test_given_a_mistake_in_a_template_then_its_column_and_the_template_are_named(
    tmp_path: Path, template: str, column: int, problem: str
) -> None:
    path = tmp_path / "mistaken.yaml"
    path.write_text(f"{HEAD}          - '{template}'\n", encoding="utf-8")
    with pytest.raises(DomainError) as caught:
        Domain.load(path)
    assert caught.value.message.startswith(f"{path}, line 6, column {column}: ")
    assert problem in caught.value.message


@pytest.mark.parametrize(
    ("intent", "problem"),
    [
        ("threshold: 2", "threshold: must be a number from 0 to 1"),
        ("required: {where: Where to?}", "no sentence of Go has this slot; it has none"),
        ("confirm: 3", "confirm: must be a string"),
        ("replies: {default: ''}", "replies.default: is blank"),
        ("examples: [{txt: go}]", "txt: unknown key"),
        ("examples: [{text: go, slots: {a: [b]}}]", "must be slots with their values"),
    ],
)
def test_given_a_mistake_in_an_intents_details_then_it_is_named(
    tmp_path: Path, intent: str, problem: str
) -> None:
    path = tmp_path / "mistaken.yaml"
    text = f"language: en\nintents:\n  Go:\n    {intent}\n    data: [{{sentences: [go]}}]\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DomainError) as caught:
        Domain.load(path)
    assert caught.value.message.startswith(f"{path}, line 4, column ")
    assert problem in caught.value.message


def test_given_two_files_then_a_mistake_names_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{HEAD}          - 'go <slowly>'\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text(
        "language: en\nexpansion_rules:\n  slowly: '{pace}'\n", encoding="utf-8"
    )
    with pytest.raises(DomainError, match=r"b\.yaml, line 3, column 12: .* no list \{pace\}"):
        Domain.load(tmp_path)


def test_given_an_empty_folder_then_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="the folder has no YAML file"):
        Domain.load(tmp_path)


def test_given_no_file_then_the_error_names_it(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"lost\.yaml: there is no such domain file"):
        Domain.load(tmp_path / "lost.yaml")


def test_given_bytes_that_are_no_text_then_the_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "noise.yaml"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(DomainError, match=r"noise\.yaml: can't be read as UTF-8 text"):
        Domain.load(path)
