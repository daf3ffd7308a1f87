"""How words are spoken: a user's own, the dictionary's, or a guess from the spelling."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.ngram import BEGIN, END, train
from models.pronunciation import (
    PHONES,
    Pronouncer,
    parse_phones,
    read_pronunciations,
    set_pronunciation,
)
from models.pronunciation.dictionary import pack, read_dictionary
from models.pronunciation.joint_ngram import JointNgram, read_model, simplify
from models.pronunciation.speaking import ESPEAK_PHONES, espeak_text
from models.pronunciation.trie import build_trie, pack_trie, unpack_trie
from models.training.pronunciation.__main__ import is_held_out
from models.training.pronunciation.alignment import align

ways = st.lists(st.lists(st.sampled_from(PHONES), min_size=1).map(tuple), min_size=1, max_size=3)
sequences = st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=1, max_size=20)


@given(st.dictionaries(st.text("abcdefgh'-", min_size=1), ways.map(tuple), min_size=1))
@settings(max_examples=15, deadline=None)
def test_given_a_dictionary_then_what_is_packed_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, dictionary: dict[str, tuple[tuple[str, ...], ...]]
) -> None:
    path = tmp_path_factory.mktemp("packed") / "dictionary.xz"
    path.write_bytes(pack(dictionary))
    back = read_dictionary(path)
    assert {word: back.get(word) for word in back} == dictionary
    assert back.get("zebra") == ()


def test_given_a_word_then_own_ways_come_first_then_the_models_then_the_dictionarys() -> None:
    tea, chai, own = (("T", "IY"),), (("CH", "AY"),), (("T", "EH"),)
    pronouncer = Pronouncer({"tea": tea, "chai": chai}, {"tea": own})
    found, missing = pronouncer.pronounce_all(["tea", "chai", "aardvark", "zyxel", "7up", "чай"])
    assert [(entry.word, entry.origin) for entry in found.values()] == [
        ("aardvark", "dictionary"),
        ("chai", "model"),
        ("tea", "override"),
        ("zyxel", "guess"),
    ]
    assert (found["tea"].ways, found["chai"].ways) == (own, chai)
    assert missing == ("7up", "чай")


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("blorping", "B L AO R P IH NG"),
        ("spoonerist", "S P UW N ER IH S T"),
        ("Käsemann", "K EY S M AH N"),
        ("smurftastic", "S M ER F T AE S T IH K"),
    ],
)
def test_given_a_word_that_no_dictionary_has_then_its_spelling_tells(
    word: str, phones: str
) -> None:
    assert word not in read_dictionary()
    assert tuple(phones.split()) in read_model().guess(word, 5)


def test_given_held_out_words_then_most_guesses_are_right() -> None:
    dictionary = read_dictionary()
    words = [word for word in dictionary if word.isalpha() and is_held_out(word)][::40]
    right = sum(read_model().guess(word)[0] in dictionary.get(word) for word in words)
    assert len(words) > 100
    # The card says 74 % over all of them.
    assert right / len(words) > 0.62


def test_given_several_guesses_then_they_differ_and_the_best_comes_first() -> None:
    guesses = read_model().guess("zyxel", 4)
    assert len(set(guesses)) == 4
    assert guesses[:2] == read_model().guess("zyxel", 2)


def test_given_accents_and_signs_then_the_letters_are_kept() -> None:
    assert simplify("Beyoncé") == "beyonce"
    assert simplify("rock'n'roll-ish’s") == "rock'n'rollish's"
    assert read_model().guess("!?") == ()


@given(sequences, st.integers(1, 4), st.lists(st.integers(1, 3), max_size=4))
@settings(max_examples=30, deadline=None)
def test_given_any_sequences_then_every_history_has_a_distribution(
    found: list[list[int]], order: int, minimum: list[int]
) -> None:
    model = train(found, order, prior=dict.fromkeys((*range(5), END), 1.0), minimum=minimum)
    histories = {gram[:-1] for level in model.probabilities for gram in level}
    for history in histories:
        total = sum(math.exp(model.log_probability(history, symbol)) for symbol in (*range(5), END))
        assert math.isclose(total, 1.0, abs_tol=1e-5)


def test_given_sequences_then_what_is_common_is_likely() -> None:
    model = train([[0, 1], [0, 1], [0, 2], [3, 1]], 3)
    begun = model.log_probability((BEGIN, 0), 1)
    assert begun > model.log_probability((BEGIN, 0), 2) > model.log_probability((BEGIN, 0), 3)


def test_given_a_trained_model_then_what_is_packed_is_read_back_and_guesses() -> None:
    words = {"tea": "T IY", "sea": "S IY", "tee": "T IY", "set": "S EH T", "cat": "K AE T"}
    aligned = align((word, tuple(phones.split())) for word, phones in words.items())
    known = sorted({graphone for graphones in aligned for graphone in graphones})
    numbers = {graphone: number for number, graphone in enumerate(known)}
    model = train([[numbers[g] for g in graphones] for graphones in aligned], 3)
    trie = build_trie(model, [(letters, phones) for letters, phones in known])
    back = unpack_trie(pack_trie(trie))
    assert back.graphones == trie.graphones
    assert back.parents.tolist() == trie.parents.tolist()
    assert back.symbols.tolist() == trie.symbols.tolist()
    assert abs(back.costs - trie.costs).max() < 0.05
    assert JointNgram(back).guess("sea") == (("S", "IY"),)


def test_given_stress_and_case_then_they_do_not_matter() -> None:
    assert parse_phones("l AA1 T ey2", "latte") == ("L", "AA", "T", "EY")


@pytest.mark.parametrize(
    ("phones", "problem"),
    [
        ("L AX T", r"latte: AX is no phone; did you mean AH\? phones are AA AE"),
        ("L A T", "latte: A is no phone"),
        ("", "latte: a pronunciation needs phones, such as"),
    ],
)
def test_given_wrong_phones_then_the_error_helps(phones: str, problem: str) -> None:
    with pytest.raises(ModelError, match=problem):
        parse_phones(phones, "latte")


def test_given_a_file_then_words_are_set_in_it_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "my.pronunciations.txt"
    set_pronunciation(path, "zyxel", [("Z", "AY")])
    path.write_text(path.read_text() + "latte L AE T # as here\n# tea")
    set_pronunciation(path, "zyxel", [("Z", "IY"), ("Z", "EH")])
    assert read_pronunciations(path) == {
        "latte": (("L", "AE", "T"),),
        "zyxel": (("Z", "IY"), ("Z", "EH")),
    }
    assert "# tea\n" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_given_a_wrong_line_then_the_error_names_it(tmp_path: Path) -> None:
    path = tmp_path / "my.pronunciations.txt"
    path.write_text("# mine\ntea T IY\nlatte L 4\n")
    with pytest.raises(ModelError, match=r"my\.pronunciations\.txt:3: latte: 4 is no phone"):
        read_pronunciations(path)


@pytest.mark.parametrize("name", ["dictionary.xz", "joint_ngram.xz"])
def test_given_damaged_weights_then_the_error_names_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no weights")
    read = read_dictionary if name == "dictionary.xz" else read_model
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        read(path)


def test_given_phones_then_espeak_gets_its_own_names_and_stress() -> None:
    assert espeak_text(("L", "AA", "T", "EY")) == "[[l'A:teI]]"
    assert set(ESPEAK_PHONES) == set(PHONES)
