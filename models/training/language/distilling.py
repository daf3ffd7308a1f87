"""The task ``distill``: an encoder learns from a larger one and becomes a base."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import nn

from models.errors import ModelError
from models.mobilebert import Encoder
from models.mobilebert.tokens import TOKENIZER_FILE, WordTokenizer
from models.training.language.base import BaseNetwork, base_tensors, export_base, save_base
from models.training.language.batching import batches_of
from models.training.language.deepening import deepen
from models.training.language.distillation import DistillationLoss, Student
from models.training.language.encoders import base_encoder, find_base
from models.training.language.loop import Loop
from models.training.language.measures import Measures
from models.training.language.run_card import Run, data_lines, making_lines, score_table
from models.training.language.settings import Distill
from models.training.language.starting import CHECKPOINT, encoder_of, schedule_of, write_scores
from models.training.language.teaching import TeacherStates, teach

BATCH_TOKENS = 32
"""Tokens that ``batch`` counts for one text: batches are filled by tokens, not by texts."""


def distil(settings: Distill, config: Path, report: Callable[[str], None]) -> Path:
    """Train a base as ``settings`` say; returns its folder. Raises ModelError."""
    run = settings.out
    encoder = encoder_of(settings)
    if settings.deepen > 1:
        encoder = deepen(encoder, settings.deepen)
    tokenizer = WordTokenizer.load(run, settings.max_tokens)
    texts = [tokenizer.encode(line).ids.tolist() for line in _lines(settings.texts)]
    teacher = base_encoder(settings.teacher, run / "teacher.json")
    same_pieces(run / TOKENIZER_FILE, run / "teacher.json")
    last = (int(encoder.config.num_hidden_layers), int(teacher.config.num_hidden_layers))
    pairs = {**settings.layers, last[0]: last[1]}
    report(f"{len(texts)} texts, {sum(map(len, texts))} word pieces")
    taught = teach(
        teacher,
        texts,
        sorted(set(pairs.values())),
        run / "teacher",
        report,
        attention=settings.attention > 0,
    )
    student = Student(encoder, pairs, int(teacher.config.hidden_size))
    del teacher
    mean, deviation = taught.statistics(last[1])
    _begin_with_vector(student.project[str(last[0])], settings.base, mean, deviation)
    loss = DistillationLoss(student, texts, taught, settings.attention)
    held = set(Random(settings.seed).sample(range(len(texts)), _held(settings, len(texts))))
    kept = [i for i in range(len(texts)) if i not in held]
    read_out = _read_out(settings.teacher)
    judge = _Judge(student, loss, sorted(held), texts, taught, last[1], read_out)
    loop: Loop[list[int]] = Loop(
        student, schedule_of(settings), checkpoint=run / CHECKPOINT, report=report
    )
    progress = loop.run(
        lambda _, rng: [
            [kept[i] for i in batch]
            for batch in batches_of([texts[i] for i in kept], settings.batch * BATCH_TOKENS, rng)
        ],
        loss,
        lambda: -judge.loss(),
    )
    network = _network(student, last[0], mean, deviation, read_out)
    folder = run / "model"
    save_base(network, folder, run / TOKENIZER_FILE)
    export_base(
        network,
        folder,
        run / TOKENIZER_FILE,
        name=settings.name,
        version=settings.version,
        tokens=settings.max_tokens,
    )
    scores = {"held-out texts": judge.measures(network, folder)}
    write_scores(run, scores)
    card = [
        f"# {settings.name}",
        "",
        f"An encoder without a task: {encoder.config.num_hidden_layers} layers of MobileBERT "
        "(Sun et al. 2020), distilled. `model.onnx` (int8) gives token states "
        f"({encoder.config.hidden_size}) and a sentence vector ({network.vector.out_features}); "
        "`encoder.fp16.pt` is for training.",
        "",
        *data_lines(settings),
        *making_lines(Run(settings, config, progress)),
        "",
        "## Scores",
        "",
        *score_table(scores, {}),
        "",
        "Cosines with the teacher's, times 100; loss as in training.",
        "",
    ]
    (folder / "README.md").write_text("\n".join(card), encoding="utf-8")
    return folder


def same_pieces(mine: Path, theirs: Path) -> None:
    """Raise ModelError where two tokenizers split texts into other ids."""
    from tokenizers import Tokenizer

    vocabularies = [Tokenizer.from_file(str(path)).get_vocab() for path in (mine, theirs)]
    if vocabularies[0] != vocabularies[1]:
        raise ModelError(
            "the teacher has other word pieces than the student: take a teacher with the same, or "
            "start from scratch with its tokenizer"
        )


class _Judge:
    """How near the student is on texts that it never sees."""

    def __init__(
        self,
        student: Student,
        loss: DistillationLoss,
        held: Sequence[int],
        texts: Sequence[Sequence[int]],
        taught: TeacherStates,
        last: int,
        read_out: nn.Linear | None,
    ) -> None:
        self._student, self._loss, self._held = student, loss, held
        self._texts, self._taught, self._last = texts, taught, last
        self._read_out = read_out

    def loss(self) -> float:
        """Mean loss."""
        self._student.eval()
        chunks = [self._held[at : at + 32] for at in range(0, len(self._held), 32)]
        with torch.no_grad():
            return sum(float(self._loss(chunk)) * len(chunk) for chunk in chunks) / len(self._held)

    def measures(self, network: BaseNetwork, folder: Path) -> Measures:
        """Loss, and cosine of sentence vectors in fp32 and int8."""
        encoder = Encoder.load(folder)
        full, small = [], []
        for i in self._held[:300]:
            ids = torch.tensor([list(self._texts[i])])
            with torch.no_grad():
                vector = network(ids, torch.ones_like(ids))[1][0].numpy()
            wanted = self._taught.of(self._last, i).mean(0)
            if self._read_out is not None:
                wanted = self._read_out(torch.from_numpy(wanted)).detach().numpy()
            wanted /= np.linalg.norm(wanted)
            full.append(float(vector @ wanted))
            small.append(float(encoder.session.run(ids[0].numpy())[1] @ wanted))
        return {
            "loss": self.loss() / 100,
            "sentence vector": float(np.mean(full)),
            "sentence vector, int8": float(np.mean(small)),
        }


def _held(settings: Distill, count: int) -> int:
    return min(count - 1, max(1, int(settings.development * count)))


def _lines(paths: Sequence[Path]) -> list[str]:
    lines: list[str] = []
    for path in paths:
        try:
            lines += path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{path} cannot be read: {error}") from None
    found = [line for line in lines if line.strip()]
    if len(found) < 2:
        raise ModelError(f"{paths[0]} holds no texts: give some, one a line")
    return found


def _begin_with_vector(
    project: nn.Linear, base: str, mean: torch.Tensor, deviation: torch.Tensor
) -> None:
    """Let the projection begin where the base's sentence vector is, if it has one that fits.

    Where student and teacher are equally wide it begins with what it is given: one may have grown
    out of the other.
    """
    vector = _read_out(base) if base != "scratch" else None
    with torch.no_grad():
        if vector is not None and vector.weight.shape == project.weight.shape:
            project.weight.copy_(vector.weight / deviation.unsqueeze(1))
            project.bias.copy_((vector.bias - mean) / deviation)
        elif vector is not None and project.in_features == project.out_features:
            project.weight.copy_(torch.diag(1 / deviation))
            project.bias.copy_(-mean / deviation)


def _read_out(base: str) -> nn.Linear | None:
    """What makes a base's sentence vector from the mean of its states; None for other encoders."""
    folder = find_base(base)
    tensors = base_tensors(folder) if folder is not None else {}
    weight, bias = tensors.get("vector.weight"), tensors.get("vector.bias")
    if weight is None or bias is None:
        return None
    found = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        found.weight.copy_(weight)
        found.bias.copy_(bias)
    return found


def _network(
    student: Student,
    layer: int,
    mean: torch.Tensor,
    deviation: torch.Tensor,
    read_out: nn.Linear | None,
) -> BaseNetwork:
    """The student with a sentence vector: its teacher's mean state or, of a base, its vector."""
    project = student.project[str(layer)]
    with torch.no_grad():
        weight = project.weight * deviation.unsqueeze(1)
        bias = project.bias * deviation + mean
        if read_out is not None:
            weight, bias = read_out.weight @ weight, read_out(bias)
        vector = nn.Linear(weight.shape[1], weight.shape[0])
        vector.weight.copy_(weight)
        vector.bias.copy_(bias)
    network = BaseNetwork(student.encoder, vector)
    network.eval()
    return network
