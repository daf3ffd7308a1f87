"""An acoustic model, given as matrices, is written as Kaldi reads it."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import vosk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.errors import ModelError
from models.vosk.export import (
    Acoustics,
    export_acoustics,
    phone_set,
)
from models.vosk.garbage import add_garbage_output
from models.vosk.kaldi_io import KaldiReader, KaldiWriter
from models.vosk.nnet3 import Affine, read_affines
from models.vosk.phones import PhoneSet

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models" / "weights" / "vosk-en"

INTEGERS = st.integers(-(2**31), 2**31 - 1)
SINGLES = st.floats(width=32, allow_nan=False)


def affine(outputs: int, inputs: int, seed: int) -> Affine:
    rng = np.random.default_rng(seed)
    return Affine(rng.normal(size=(outputs, inputs)) / inputs**0.5, rng.normal(size=outputs))


def network(width: int = 12, dilations: tuple[int, ...] = (1, 3)) -> Acoustics:
    layers = [(affine(width, 3 * width, 3 + n), d) for n, d in enumerate(dilations)]
    return Acoustics(affine(40, 40, 1), affine(width, 280, 2), layers, affine(40, width, 9))


@given(INTEGERS, SINGLES, st.floats(allow_nan=False), st.lists(INTEGERS, max_size=9))
def test_given_numbers_then_they_are_read_back(
    integer: int, single: float, double: float, integers: list[int]
) -> None:
    writer = KaldiWriter()
    writer.token("<Begin>")
    writer.integer(integer)
    writer.single(single)
    writer.double(double)
    writer.integers(integers)
    reader = KaldiReader(writer.finish())
    reader.expect("<Begin>")
    assert reader.integer() == integer
    assert (reader.single(), reader.double()) == (single, double)
    assert reader.integers() == integers


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2), elements=SINGLES))
def test_given_a_matrix_then_it_is_read_back(matrix: np.ndarray) -> None:
    writer = KaldiWriter()
    writer.matrix(matrix)
    writer.vector(matrix[0])
    reader = KaldiReader(writer.finish())
    assert np.array_equal(reader.matrix(), matrix)
    assert np.array_equal(reader.vector(), matrix[0])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a binary Kaldi file"),
        (b"\0B\x04\x01\0", "it ends at byte 2"),
        (b"\0B\x08\x01\0\0\0", "has a number of 8 bytes"),
    ],
)
def test_given_something_else_then_reading_says_where(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KaldiReader(data).integer()


def test_given_a_network_then_its_layers_are_read_back() -> None:
    acoustics = network()
    found = read_affines(export_acoustics(acoustics, 4.0))
    assert list(found) == ["idct", "l0.affine", "l1.affine", "l2.affine", "out.affine", "phones"]
    assert np.array_equal(found["l2.affine"].weights, np.float32(acoustics.layers[1][0].weights))
    assert np.array_equal(found["out.affine"].bias, np.float32(acoustics.output.bias))


def test_given_the_layers_of_the_shipped_model_then_the_same_model_is_written() -> None:
    """Its weights are stored in eight bits; all else is the same, byte by byte."""
    shipped = (SHIPPED / "am" / "final.mdl").read_bytes()
    found = read_affines(shipped)
    members = [shipped_member(found, "n1.", (1, 1, 1, 2, 2, 3, 3))]
    members.append(shipped_member(found, "n2.", (1, 1, 1, 2, 2, 3)))
    assert [member.context for member in members] == [42, 33]
    (prior,) = struct.unpack_from("<f", shipped, shipped.rindex(b"<Priors> FV ") + 17)
    written = export_acoustics(members, blank_bonus=round(math.log(prior), 3))
    ends = (b"<NumComponents>", b"</Nnet3>")
    assert written.split(ends[0])[0] == shipped.split(ends[0])[0]
    assert written.split(ends[1])[1] == shipped.split(ends[1])[1]
    again = read_affines(written)
    assert list(again) == list(found)
    assert all(np.array_equal(again[name].weights, found[name].weights) for name in found)
    assert all(np.array_equal(again[name].bias, found[name].bias) for name in found)


def shipped_member(found: dict[str, Affine], prefix: str, dilations: tuple[int, ...]) -> Acoustics:
    layers = [(found[f"{prefix}l{n}.affine"], d) for n, d in enumerate(dilations, start=1)]
    first, last = found[f"{prefix}l0.affine"], found[f"{prefix}out.affine"]
    return Acoustics(found[f"{prefix}idct"], first, layers, last)


def test_the_phones_are_those_of_the_shipped_graph() -> None:
    assert phone_set().with_garbage() == PhoneSet.read(SHIPPED / "graph" / "phones.txt")


def test_given_no_garbage_output_then_one_can_be_added_later() -> None:
    plain = export_acoustics(network(), 4.0, garbage=False)
    assert add_garbage_output(plain) == export_acoustics(network(), 4.0)


def test_given_an_exported_network_then_vosk_decodes_with_the_shipped_graph(
    tmp_path: Path,
) -> None:
    for part in SHIPPED.iterdir():
        if part.name != "am":
            (tmp_path / part.name).symlink_to(part)
    (tmp_path / "am").mkdir()
    (tmp_path / "am" / "final.mdl").write_bytes(export_acoustics(network(), 4.0))
    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(str(tmp_path)), 16_000)
    recogniser.AcceptWaveform(np.random.default_rng(0).integers(-999, 999, 16_000, "<i2").tobytes())
    assert '"text"' in recogniser.FinalResult()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first": affine(12, 240, 1)}, "do not fit together"),
        ({"output": affine(41, 12, 1)}, "do not fit together"),
        ({"layers": [(affine(12, 24, 1), 1)]}, "do not fit together"),
        ({"output": Affine(np.full((40, 12), np.nan), np.zeros(40))}, "are no numbers"),
    ],
)
def test_given_parts_that_do_not_fit_then_nothing_is_exported(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        export_acoustics(replace(network(), **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1, 40, 20_000])
def test_given_a_cut_file_then_it_can_not_be_read_back(size: int) -> None:
    with pytest.raises(ModelError, match=r"final\.mdl can't be read back"):
        read_affines(export_acoustics(network())[:size])


def test_given_a_damaged_length_then_it_can_not_be_read_back() -> None:
    model = export_acoustics(network())
    place = model.index(b"FM ") + 4
    damaged = model[:place] + struct.pack("<i", 10**9) + model[place + 4 :]
    with pytest.raises(ModelError, match="it ends in the numbers"):
        read_affines(damaged)
