"""The network of a language model in onnxruntime: opened, checked, run.

Settings come from measurement (48-layer toy network, 10 calls a second): the defaults burn five
to six times the CPU time of one thread without spinning, for no gain in latency.

Texts run at their exact length, batch 1. Padding to bucket lengths was measured against it on an
int8 network: no memory growth over 1,500 random lengths either way, lengths between the buckets
cost up to half more, and because dynamic int8 scales activations by what is in the tensor, padding
moved intent logits by 0.05 (median) to 0.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from models.errors import ModelError

IDS = "input_ids"
MASK = "attention_mask"
TYPES = "token_type_ids"
"""BERT's third input, 0 for the first of two texts and 1 for the second. Not every network asks."""

LOG_FATAL = 4
"""Severity of onnxruntime's own log: what fails is raised, so nothing needs to be printed."""

_ERRORS = (
    native.Fail,
    native.InvalidArgument,
    native.InvalidGraph,
    native.InvalidProtobuf,
    native.NoSuchFile,
    native.NotImplemented,
    native.RuntimeException,
)


class EncoderSession:
    """A network of the BERT family and the outputs that are asked of it.

    Its inputs are ``input_ids``, ``attention_mask`` and, if it has a third, ``token_type_ids``.
    """

    def __init__(self, path: Path, outputs: Sequence[str], *, threads: int = 1) -> None:
        """Open ``path`` and ask for ``outputs``.

        Raises ModelError, naming the file, where it is missing, malformed, wants other inputs, or
        lacks an output.
        """
        self._session = open_session(path, threads=threads)
        self._path = path
        self._outputs = list(outputs)
        self._check_names()

    def run(
        self, ids: npt.NDArray[np.int64], types: npt.NDArray[np.int64] | None = None
    ) -> list[npt.NDArray[np.float32]]:
        """Outputs of one text [tokens], in the order asked for, with the batch axis taken off.

        ``types`` [tokens] says which of two texts each token belongs to; a network that does not
        ask for it goes without.
        """
        batch = ids[np.newaxis]
        feed = {IDS: batch, MASK: np.ones_like(batch)}
        if self._typed:
            feed[TYPES] = np.zeros_like(batch) if types is None else types[np.newaxis]
        return [output[0] for output in self._session.run(self._outputs, feed)]

    def probe(
        self, token: int, tokens: int, shapes: Sequence[tuple[int, ...]], asked_by: Path
    ) -> None:
        """Run ``token`` repeated to ``tokens`` and compare what comes out with ``shapes``.

        The largest token at the greatest length is where a network that does not fit fails.

        Raises ModelError, naming the file, where the network refuses such an input, gives other
        shapes, or values that are not finite.
        """
        try:
            results = self.run(np.full(tokens, token, np.int64))
        except _ERRORS as error:
            raise ModelError(
                f"{self._path} fails on {tokens} tokens with the id {token}, the largest of the "
                f"tokenizer: its vocabulary or max_tokens does not fit ({_one_line(error)})"
            ) from error
        for name, result, shape in zip(self._outputs, results, shapes, strict=True):
            if result.shape != shape:
                raise ModelError(
                    f'{self._path}: output "{name}" has the shape {list(result.shape)} for '
                    f"{tokens} tokens, but {asked_by} asks for {list(shape)}: the labels do not fit"
                )
            if not np.isfinite(result).all():
                raise ModelError(f'{self._path}: output "{name}" is not finite: export it again')

    def _check_names(self) -> None:
        inputs = {node.name for node in self._session.get_inputs()}
        if inputs - {TYPES} != {IDS, MASK}:
            raise ModelError(
                f"{self._path} has the inputs {', '.join(sorted(inputs))}: export it with "
                f"{IDS} and {MASK}, and {TYPES} if need be"
            )
        self._typed = TYPES in inputs
        present = [node.name for node in self._session.get_outputs()]
        for name in self._outputs:
            if name not in present:
                raise ModelError(
                    f'{self._path} has no output "{name}", only {", ".join(present)}: '
                    "correct the head's output in labels.json"
                )


def open_session(path: Path, *, threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX file. Raises ModelError, naming it, where it is missing or malformed."""
    if not path.is_file():
        raise ModelError(f"{path} is missing: put the exported network there")
    try:
        return onnxruntime.InferenceSession(
            str(path), _options(threads), providers=["CPUExecutionProvider"]
        )
    except _ERRORS as error:
        raise ModelError(
            f"{path} is not a readable ONNX file, perhaps cut short; fetch or export it "
            f"again ({_one_line(error)})"
        ) from error


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = False  # plans are kept per shape, and every length is a shape
    options.log_severity_level = LOG_FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
