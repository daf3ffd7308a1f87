"""Write an acoustic model as Kaldi's ``am/final.mdl``, without Kaldi.

The file is a TransitionModel and an nnet3 AmNnetSimple, binary (see ``kaldi_io``).

**TransitionModel.** ``<Topology>`` (phones as integers, the entry of every phone, -1 because states
have separate self-loop classes, the number of entries, each entry's states), ``<Tuples>`` (phone,
state, forward output, self-loop output; sorted), ``<LogProbs>`` (one zero, then one number for
each transition). Every phone has one emitting state: its forward transition is the label, its
self-loop the blank. Phone i has the transitions 2i - 1 (self-loop) and 2i (forward), and all four
positions of a phone in a word (``_B _E _I _S``) share an output. Silence (1) is blank in both.

**Nnet3.** A text of component and node lines between empty lines, ``<NumComponents>``, and the
components (see ``nnet3``). Then ``<LeftContext>``, ``<RightContext>`` (frames of 10 ms) and
``<Priors>``: what is subtracted, as a logarithm, from the outputs; it serves to make the blank less
likely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from models.errors import ModelError
from models.pronunciation.phones import PHONES as PHONES
from models.vosk.garbage import add_garbage_output
from models.vosk.kaldi_io import KaldiWriter
from models.vosk.nnet3 import (
    AFFINE,
    LOG_SOFTMAX,
    NO_OPERATION,
    RECTIFIER,
    Affine,
    Component,
)
from models.vosk.phones import SILENCE, PhoneSet

POSITIONS = "BEIS"
"""Begin, end and inside of a word, and single."""

STRIDE = 3
"""Frames of 10 ms for one of the output (``frame-subsampling-factor``)."""


@dataclass(frozen=True, eq=False)
class Acoustics:
    """A time-delay network, normalisation folded into its weights."""

    input: Affine
    """From MFCC [40] to the input of the first layer [40]."""

    first: Affine
    """Over an odd number of frames of 10 ms; its inputs are ordered by time."""

    layers: Sequence[tuple[Affine, int]]
    """Each over three frames, that many output frames apart; adds to its input, behind a ReLU."""

    output: Affine

    @property
    def context(self) -> int:
        """Frames of 10 ms read to each side."""
        frames = int(self.first.weights.shape[1]) // int(self.input.weights.shape[0])
        return frames // 2 + STRIDE * sum(dilation for _, dilation in self.layers)


def phone_set() -> PhoneSet:
    """The phones of the model that ``export_acoustics`` writes, the garbage phone left out."""
    names = [SILENCE, *(f"{phone}_{position}" for phone in PHONES for position in POSITIONS)]
    return PhoneSet({name: number for number, name in enumerate(names, start=1)})


def export_acoustics(
    acoustics: Acoustics | Sequence[Acoustics], blank_bonus: float = 0.0, *, garbage: bool = True
) -> bytes:
    """The bytes of a ``final.mdl``.

    Several networks become one whose log-probabilities are their mean. ``blank_bonus`` is
    subtracted from the blank's log-probability; ``garbage`` appends the output for "any phone"
    (``models.vosk.garbage``). Raises ModelError if the parts do not fit together.
    """
    members = [acoustics] if isinstance(acoustics, Acoustics) else list(acoustics)
    for member in members:
        _check(member)
    writer = KaldiWriter()
    _write_transitions(writer)
    lines, components = _Nodes().build(members)
    writer.token("<Nnet3>")
    writer.raw("".join(f"{line}\n" for line in ["", *lines, ""]).encode())
    writer.token("<NumComponents>")
    writer.integer(len(components))
    for component in components:
        component.write(writer)
    context = max(member.context for member in members)
    writer.token("</Nnet3>", "<LeftContext>")
    writer.integer(context)
    writer.token("<RightContext>")
    writer.integer(context)
    writer.token("<Priors>")
    writer.vector([math.exp(blank_bonus), *[1.0] * len(PHONES)] if blank_bonus else [])
    model = writer.finish()
    return add_garbage_output(model) if garbage else model


def _check(acoustics: Acoustics) -> None:
    width = len(acoustics.first.bias)
    frames, rest = divmod(acoustics.first.weights.shape[1], len(acoustics.input.bias))
    fits = rest == 0 and frames % 2 == 1
    fits &= all(layer.weights.shape == (width, 3 * width) for layer, _ in acoustics.layers)
    fits &= acoustics.output.weights.shape == (len(PHONES) + 1, width)
    if not fits:
        raise ModelError("the network's layers do not fit together: it can't be exported")
    parts = [acoustics.input, acoustics.first, acoustics.output]
    parts += [layer for layer, _ in acoustics.layers]
    if not all(np.isfinite(part.weights).all() and np.isfinite(part.bias).all() for part in parts):
        raise ModelError("the network has weights that are no numbers: it can't be exported")


def _write_transitions(writer: KaldiWriter) -> None:
    phones = phone_set().ids
    writer.token("<TransitionModel>", "<Topology>")
    writer.integers(list(phones.values()))
    writer.integers([-1, *[0] * len(phones)])
    for value in (-1, 1, 2, 0, 1, 2):
        # Separate self-loop classes; 1 entry of 2 states; classes 0 and 1 and 2 transitions.
        writer.integer(value)
    for target in (0, 1):
        writer.integer(target)
        writer.single(0.5)
    for value in (-1, -1, 0):
        # The final state has no classes and no transitions.
        writer.integer(value)
    writer.token("</Topology>", "<Tuples>")
    writer.integer(len(phones))
    for name, number in phones.items():
        output = 0 if name == SILENCE else PHONES.index(name[:-2]) + 1
        for value in (number, 0, output, 0):
            writer.integer(value)
    writer.token("</Tuples>", "<LogProbs>")
    writer.vector([0.0, *[math.log(0.5)] * (2 * len(phones))])
    writer.token("</LogProbs>", "</TransitionModel>")


class _Nodes:
    """Component and node lines of a network, and its components."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._components: list[Component] = []

    def build(self, members: Sequence[Acoustics]) -> tuple[list[str], list[Component]]:
        """The lines and components of one network, or of the mean of several."""
        self._lines.append(f"input-node name=input dim={members[0].input.weights.shape[1]}")
        if len(members) == 1:
            output = self._member("", members[0])
        else:
            scores = [self._member(f"n{n}.", one) for n, one in enumerate(members, start=1)]
            mean = reduce(
                lambda one, other: f"Sum({one}, {other})",
                (f"Scale({1 / len(members):.8f}, {score})" for score in scores),
            )
            output = "out.lsm"
            self._add(output, mean, kind=LOG_SOFTMAX, dimension=len(members[0].output.bias))
        self._lines.append(f"output-node name=output input={output} objective=linear")
        return self._lines, self._components

    def _member(self, prefix: str, acoustics: Acoustics) -> str:
        """The nodes of one network; returns the name of the last."""
        first = f"{prefix}idct"
        self._add(first, "input", affine=acoustics.input)
        half = acoustics.first.weights.shape[1] // len(acoustics.input.bias) // 2
        hidden = self._layer(f"{prefix}l0", acoustics.first, first, range(-half, half + 1))
        for number, (affine, dilation) in enumerate(acoustics.layers, start=1):
            offsets = (-STRIDE * dilation, 0, STRIDE * dilation)
            added = self._layer(f"{prefix}l{number}", affine, hidden, offsets)
            width = len(affine.bias)
            name = f"{prefix}l{number}.noop"
            self._add(name, f"Sum({added}, {hidden})", kind=NO_OPERATION, dimension=width)
            hidden = name
        self._add(f"{prefix}out.affine", hidden, affine=acoustics.output)
        size = len(acoustics.output.bias)
        output = f"{prefix}out.lsm"
        self._add(output, f"{prefix}out.affine", kind=LOG_SOFTMAX, dimension=size)
        return output

    def _layer(self, name: str, affine: Affine, source: str, offsets: Sequence[int]) -> str:
        frames = (f"Offset({source}, {by})" if by else source for by in offsets)
        self._add(f"{name}.affine", f"Append({', '.join(frames)})", affine=affine)
        relu = f"{name}.relu"
        self._add(relu, f"{name}.affine", kind=RECTIFIER, dimension=len(affine.bias))
        return relu

    def _add(
        self,
        name: str,
        source: str,
        *,
        kind: str = AFFINE,
        dimension: int = 0,
        affine: Affine | None = None,
    ) -> None:
        self._components.append(Component(name, kind, dimension, affine))
        self._lines.append(f"component-node name={name} component={name} input={source}")
