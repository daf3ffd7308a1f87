"""From a trained network to a model folder: exported, compared, made small, calibrated, scored."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn

from models.errors import ModelError
from models.mobilebert.heads import energy
from models.mobilebert.labels import IntentHead, Labels, Scope, SlotsHead
from models.mobilebert.network import Network
from models.mobilebert.session import IDS, MASK, open_session
from models.mobilebert.tokens import TOKENIZER_FILE
from models.training.language.alignment import LabelledText
from models.training.language.evaluation import best_temperature
from models.training.language.export import write_onnx
from models.training.language.labelling import MODEL_FILE, write_labels
from models.training.language.measures import KEPT, Logits, Measures
from models.training.language.shrinking import describe, shrink
from models.training.language.text_task import TextTask

LARGEST_DIFFERENCE = 2e-3
"""Between logits in PyTorch and in onnxruntime, both fp32."""

SCALES = np.geomspace(0.05, 5.0, 41)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came out of a run."""

    folder: Path
    labels: Labels
    scores: Mapping[str, Measures]
    """By what was read."""

    full: Mapping[str, Measures]
    """The same in fp32."""

    int8: bool
    difference: float
    """Largest difference of a logit between PyTorch and onnxruntime."""


def check_parity(network: nn.Module, path: Path, vocabulary: int) -> float:
    """The largest difference between the network and its export, over lengths and a padded batch.

    Raises ModelError where it is more than rounding.
    """
    session = open_session(path, threads=1)
    rng = np.random.default_rng(0)
    network.eval()
    largest = 0.0
    for batch, tokens in ((1, 3), (1, 17), (3, 9), (2, 40)):
        ids = rng.integers(5, vocabulary, (batch, tokens))
        mask = np.ones_like(ids)
        if batch > 1:
            ids[-1, tokens // 2 :] = 0
            mask[-1, tokens // 2 :] = 0
        with torch.no_grad():
            expected = network(torch.from_numpy(ids), torch.from_numpy(mask))
        found = session.run(None, {IDS: ids, MASK: mask})
        for mine, theirs in zip(found, expected, strict=True):
            wanted = theirs.numpy()
            if wanted.ndim > 2 or wanted.shape[1:] == mask.shape[1:]:
                mine, wanted = mine[mask == 1], wanted[mask == 1]
            largest = max(largest, float(np.abs(mine - wanted).max()))
    if not largest <= LARGEST_DIFFERENCE:
        raise ModelError(f"{path} differs from the network by {largest:g}: the export went wrong")
    return largest


def finish(
    task: TextTask,
    network: nn.Module,
    run: Path,
    tests: Mapping[str, Sequence[LabelledText]],
    report: Callable[[str], None],
) -> Finished:
    """Write ``run/model`` and score it; ``tests`` are read once, at the very end."""
    full, folder = run / "fp32", run / "model"
    for path in (full, folder):
        path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / TOKENIZER_FILE, path / TOKENIZER_FILE)
        write_labels(path, task.labels)
    weight = task.add_distance()
    if weight:
        report(f"the distance from the training texts counts {weight:g} in scope")
    write_onnx(network, full / MODEL_FILE, task.outputs)
    vocabulary = network.encoder.config.vocab_size
    difference = check_parity(network, full / MODEL_FILE, vocabulary)
    report(f"exported: logits differ from PyTorch's by {difference:.1e} at most")
    found = {full: _run(task, full, task.development)}
    task.labels = calibrated(task, found[full])
    task.labels = task.choose_transitions(found[full])

    def measured(path: Path) -> Measures:
        found[path] = _run(task, path, task.development)
        return task.measures(task.development, found[path])

    kept, int8 = shrink(full, folder, measured, task.int8_loss, report, task.steps)
    labels = task.labels = calibrated(task, found[folder if int8 else full])
    for path in (full, folder):
        write_labels(path, labels)
    scores = {"development": kept}
    others = {"development": task.measures(task.development, found[full])}
    for name, texts in tests.items():
        scores[name] = task.measures(texts, _run(task, folder, texts))
        others[name] = task.measures(texts, _run(task, full, texts))
        report(f"{name}: {describe(scores[name])}; fp32: {describe(others[name])}")
    return Finished(
        folder=folder,
        labels=labels,
        scores=scores,
        full=others,
        int8=int8,
        difference=difference,
    )


def calibrated(task: TextTask, found: Sequence[Logits]) -> Labels:
    """Labels with temperatures, and a scope, that fit what the exported network says."""
    labels, texts = task.labels, task.development
    heads = []
    for head in labels.heads:
        if isinstance(head, IntentHead):
            pairs = [
                (one.whole, head.labels.index(text.intent))
                for one, text in zip(found, texts, strict=True)
                if one.whole is not None and text.intent in head.labels
            ]
            temperature = best_temperature([p[0] for p in pairs], [p[1] for p in pairs])
            head = msgspec.structs.replace(head, temperature=temperature)
            outer = [
                energy(one.whole)
                for one, text in zip(found, texts, strict=True)
                if one.whole is not None and text.intent not in head.labels
            ]
            if outer:
                inner = [energy(whole) for whole, _ in pairs]
                head = msgspec.structs.replace(head, scope=_scope(inner, outer))
        if isinstance(head, SlotsHead):
            logits, right = [], []
            for one, text in zip(found, texts, strict=True):
                if one.words is not None and text.tags and len(one.words) == len(text.words):
                    logits += list(one.words)
                    right += [head.labels.index(tag) for tag in text.tags]
            if logits:
                head = msgspec.structs.replace(head, temperature=best_temperature(logits, right))
        heads.append(head)
    return msgspec.structs.replace(labels, heads=tuple(heads))


def _scope(inner: Sequence[float], outer: Sequence[float]) -> Scope:
    """Even odds at the energy above which nearly all texts in scope lie."""
    threshold = float(np.quantile(inner, 1 - KEPT))
    losses = []
    for scale in SCALES:
        inside = np.logaddexp(0, -(np.asarray(inner) - threshold) / scale).mean()
        outside = np.logaddexp(0, (np.asarray(outer) - threshold) / scale).mean()
        losses.append(inside + outside)
    return Scope(threshold=round(threshold, 4), scale=round(float(SCALES[np.argmin(losses)]), 4))


def _run(task: TextTask, folder: Path, texts: Sequence[LabelledText]) -> list[Logits]:
    return task.run(Network.load(folder), texts)
