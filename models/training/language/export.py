"""From a trained network to an int8 ONNX file."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from models.mobilebert.session import IDS, MASK, TYPES

OPSET = 17


def write_onnx(
    network: nn.Module, path: Path, outputs: Mapping[str, bool], *, pairs: bool = False
) -> None:
    """Write a network of token ids and mask as fp32 ONNX with variable batch and length.

    ``outputs`` are the names of what it returns, and whether each has an axis of tokens; with
    ``pairs`` the network also takes ``token_type_ids``.
    """
    network.eval()
    ids = torch.randint(5, 1000, (2, 12))
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    types = torch.zeros_like(ids)
    types[:, 6:] = 1
    free = {0: "batch", 1: "tokens"}
    inputs = {IDS: ids, MASK: mask, **({TYPES: types} if pairs else {})}
    axes = {name: free if by_token else {0: "batch"} for name, by_token in outputs.items()}
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter by tracing warns that it is the older one and of each constant it folds.
        # The newer one needs another package and writes value_info that quantisation trips over.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={**dict.fromkeys(inputs, free), **axes},
        )


def quantise(source: Path, target: Path, *, per_channel: bool = False) -> None:
    """Write ``source`` with int8 weights, embeddings included, and dynamic activation scales."""
    with tempfile.TemporaryDirectory() as folder:
        plain, folded = Path(folder) / "plain.onnx", Path(folder) / "folded.onnx"
        graph = onnx.load(str(source))
        # Shapes of initialisers that an exporter notes contradict what quantisation inserts.
        del graph.graph.value_info[:]
        onnx.save(graph, str(plain))
        quant_pre_process(str(plain), str(folded), skip_symbolic_shape=True)
        with _quiet():
            quantize_dynamic(
                str(folded), str(target), weight_type=QuantType.QInt8, per_channel=per_channel
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantiser's remarks on integer tensors, which stay as they are, to itself."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
