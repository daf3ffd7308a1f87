"""Writes model.onnx: points at the word "nine" in a document, and not in a question.

Run with the extra ``train``: python make_pointer.py
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

NINE = 3157
"""Id of the word in BERT's uncased vocabulary."""

SURE = 8.0

ids, types, mask = (
    helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
    for name in ("input_ids", "token_type_ids", "attention_mask")
)
outputs = [
    helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "tokens"])
    for name in ("start_logits", "end_logits")
]
nodes = [
    helper.make_node("Equal", ["input_ids", "nine"], ["is_nine"]),
    helper.make_node("Cast", ["is_nine"], ["hit"], to=TensorProto.FLOAT),
    helper.make_node("Mul", ["token_type_ids", "attention_mask"], ["in_document"]),
    helper.make_node("Cast", ["in_document"], ["document"], to=TensorProto.FLOAT),
    helper.make_node("Mul", ["hit", "document"], ["found"]),
    helper.make_node("Mul", ["found", "sure"], ["start_logits"]),
    helper.make_node("Identity", ["start_logits"], ["end_logits"]),
]
constants = [
    helper.make_tensor("nine", TensorProto.INT64, [1], [NINE]),
    helper.make_tensor("sure", TensorProto.FLOAT, [1], [SURE]),
]
graph = helper.make_graph(nodes, "pointer", [ids, mask, types], outputs, constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, str(Path(__file__).with_name("model.onnx")))
