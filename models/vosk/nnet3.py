"""Components of Kaldi's nnet3 networks, as they stand in a ``final.mdl``.

Each is ``<ComponentName>``, its name, its kind, its fields, and the kind with a slash. Fields of
the four kinds that are written here: FixedAffineComponent has ``<LinearParams>`` (matrix) and
``<BiasParams>`` (vector); NoOpComponent has ``<Dim>`` and ``<BackpropScale>``;
RectifiedLinearComponent and LogSoftmaxComponent have ``<Dim>`` and statistics of the training,
which are left empty: their vectors and counts must be there all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.vosk.kaldi_io import Floats, KaldiReader, KaldiWriter

Matrix = NDArray[np.float64]

AFFINE = "FixedAffineComponent"
RECTIFIER = "RectifiedLinearComponent"
LOG_SOFTMAX = "LogSoftmaxComponent"
NO_OPERATION = "NoOpComponent"


@dataclass(frozen=True, eq=False)
class Affine:
    """``weights`` [outputs, inputs] times the input, plus ``bias`` [outputs]."""

    weights: Matrix | Floats
    bias: Matrix | Floats


@dataclass(frozen=True, eq=False)
class Component:
    """A component; ``dimension`` is for kinds without weights."""

    name: str
    kind: str
    dimension: int = 0
    affine: Affine | None = None

    def write(self, writer: KaldiWriter) -> None:
        """Append the component to a file."""
        writer.token("<ComponentName>", self.name, f"<{self.kind}>")
        if self.affine is not None:
            writer.token("<LinearParams>")
            writer.matrix(self.affine.weights)
            writer.token("<BiasParams>")
            writer.vector(self.affine.bias)
        else:
            writer.token("<Dim>")
            writer.integer(self.dimension)
            self._write_rest(writer)
            if self.kind == NO_OPERATION:
                return
        writer.token(f"</{self.kind}>")

    def _write_rest(self, writer: KaldiWriter) -> None:
        if self.kind == NO_OPERATION:
            writer.token("<BackpropScale>")
            writer.single(1.0)
            writer.token("</NoOpComponent>")
            return
        for name in ("<ValueAvg>", "<DerivAvg>"):
            writer.token(name)
            writer.vector([])
        writer.token("<Count>")
        writer.double(0.0)
        writer.token("<OderivRms>")
        writer.vector([])
        for name in ("<OderivCount>", "<NumDimsSelfRepaired>", "<NumDimsProcessed>"):
            writer.token(name)
            writer.double(0.0)


def read_affines(model: bytes) -> dict[str, Affine]:
    """The affine components of a ``final.mdl`` by name, as they were written.

    Raises ModelError if it holds anything but the components of this module and the
    garbage output.
    """
    try:
        return dict(_read_affines(model))
    except ValueError as error:
        raise ModelError(f"final.mdl can't be read back: {error}") from None


def _read_affines(model: bytes) -> list[tuple[str, Affine]]:
    reader = KaldiReader(model)
    reader.text(b"<NumComponents> ")
    found = []
    for _ in range(reader.integer()):
        reader.expect("<ComponentName>")
        name, kind = reader.token(), reader.token()
        if kind == f"<{AFFINE}>":
            reader.expect("<LinearParams>")
            weights = reader.matrix()
            reader.expect("<BiasParams>")
            found.append((name, Affine(weights, reader.vector())))
            reader.expect(f"</{AFFINE}>")
        else:
            reader.text(f"</{kind[1:]} ".encode())
    reader.expect("</Nnet3>")
    return found
