"""The task ``qa``: a network that points at answers, from questions in SQuAD's format."""

from __future__ import annotations

import re
import shutil
import string
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.errors import ModelError
from models.mobilebert.answering import Answerer, PairTokenizer
from models.mobilebert.labels import AnswerHead, Labels
from models.mobilebert.tokens import TOKENIZER_FILE, WordTokenizer
from models.training.language.answer_data import Question, Window, read_questions, windows_of
from models.training.language.encoders import answer_head
from models.training.language.export import write_onnx
from models.training.language.labelling import MODEL_FILE, write_labels
from models.training.language.loop import Loop, Progress
from models.training.language.measures import Measures
from models.training.language.run_card import (
    Run,
    data_lines,
    making_lines,
    milliseconds,
    score_table,
    size_of,
)
from models.training.language.settings import Answer
from models.training.language.shrinking import describe, shrink
from models.training.language.starting import CHECKPOINT, encoder_of, schedule_of, write_scores

START_OUTPUT = "start_logits"
END_OUTPUT = "end_logits"
MASKED = -1e4
PREDICTED = 32

_ARTICLES = re.compile(r"\b(a|an|the)\b")


class AnswerNetwork(nn.Module):
    """An encoder and, for each token, how likely an answer begins and ends there."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.ends = nn.Linear(int(encoder.config.hidden_size), 2)
        self.typed = bool(getattr(encoder.config, "type_vocab_size", 0) >= 2)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of beginning and end, each [batch, tokens]."""
        types = {"token_type_ids": token_type_ids} if self.typed else {}
        states = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, **types
        ).last_hidden_state
        begin, end = self.ends(states).unbind(-1)
        return begin, end


def train_answers(settings: Answer, config: Path, report: Callable[[str], None]) -> Path:
    """Train as ``settings`` say; returns the model folder. Raises ModelError."""
    run = settings.out
    network = AnswerNetwork(encoder_of(settings))
    head = answer_head(settings.base, network.ends.in_features)
    if head is not None:
        network.ends = head
    elif not settings.epochs or not settings.train:
        raise ModelError(
            f"{settings.base} does not answer questions yet: give files to train on, and epochs"
        )
    words = WordTokenizer.load(run, settings.max_tokens)
    pairs = PairTokenizer(words.backend, settings.max_tokens)
    train = [question for path in settings.train for question in read_questions(path)]
    development = [question for path in settings.development for question in read_questions(path)]
    tests = {name: read_questions(path) for name, path in settings.test.items()}
    windows = windows_of(train, pairs, settings.stride)
    report(f"{len(train)} questions, {len(windows)} windows")
    judged = windows_of(development, pairs, settings.stride)
    loop: Loop[list[Window]] = Loop(
        network, schedule_of(settings), checkpoint=run / CHECKPOINT, report=report
    )
    progress = Progress()
    if settings.epochs:
        progress = loop.run(
            lambda _, rng: _batches(windows, settings.batch, rng),
            lambda batch: _loss(network, batch),
            lambda: _pointing(network, judged),
        )
    none = any(not question.answers for question in train)
    full, folder = run / "fp32", run / "model"
    for path in (full, folder):
        path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / TOKENIZER_FILE, path / TOKENIZER_FILE)
        write_labels(path, _labels(settings, none))
    write_onnx(network, full / MODEL_FILE, {START_OUTPUT: True, END_OUTPUT: True}, pairs=True)
    reference = {"development": judge(Answerer.load(full), development)}
    kept, int8 = shrink(
        full,
        folder,
        lambda path: judge(Answerer.load(path), development),
        settings.int8_loss,
        report,
    )
    scores = {"development": kept}
    for name, questions in tests.items():
        scores[name] = judge(Answerer.load(folder), questions)
        reference[name] = judge(Answerer.load(full), questions)
        report(f"{name}: {describe(scores[name])}")
    write_scores(run, {"int8": scores, "fp32": reference})
    card = [
        f"# {settings.name}",
        "",
        f"Points at the words of a document that answer a question. {size_of(folder)}, "
        f"{milliseconds(folder):.1f} ms for 16 word pieces on one thread of the machine it was "
        "made on.",
        "",
        *data_lines(settings),
        *making_lines(Run(settings, config, progress)),
        "",
        "## Scores",
        "",
        *score_table(scores, reference if int8 else {}),
        "",
        "Exact match and token F1 as SQuAD counts them (Rajpurkar et al. 2016).",
        "",
    ]
    (folder / "README.md").write_text("\n".join(card), encoding="utf-8")
    return folder


def judge(answerer: Answerer, questions: Sequence[Question]) -> Measures:
    """Exact match and F1 of the best spans, over questions that have an answer."""
    exact = shared = 0.0
    asked = [question for question in questions if question.answers]
    for question in asked:
        found = answerer.best(question.text, question.context)
        text = found.text if found else ""
        exact += max(_normal(text) == _normal(right) for _, right in question.answers)
        shared += max(token_f1(text, right) for _, right in question.answers)
    return {"exact match": exact / max(1, len(asked)), "F1": shared / max(1, len(asked))}


def token_f1(found: str, right: str) -> float:
    """F1 of the words of two answers, articles and punctuation aside."""
    mine, theirs = _normal(found).split(), _normal(right).split()
    common = sum((Counter(mine) & Counter(theirs)).values())
    if not mine or not theirs:
        return float(mine == theirs)
    return 2 * common / (len(mine) + len(theirs))


def _normal(text: str) -> str:
    """SQuAD's normal form of an answer."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(_ARTICLES.sub(" ", text).split())


def _labels(settings: Answer, none: bool) -> Labels:
    return Labels(
        format=1,
        name=settings.name,
        version=settings.version,
        language=settings.language,
        max_tokens=settings.max_tokens,
        model=MODEL_FILE,
        heads=(AnswerHead(output=START_OUTPUT, end_output=END_OUTPUT, no_answer=none),),
    )


def _batches(windows: Sequence[Window], size: int, rng: Random) -> list[list[Window]]:
    order = list(windows)
    rng.shuffle(order)
    return [order[at : at + size] for at in range(0, len(order), size)]


def _padded(batch: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    longest = max(len(window.ids) for window in batch)
    ids, mask, types = torch.zeros(3, len(batch), longest, dtype=torch.long).unbind(0)
    for row, window in enumerate(batch):
        ids[row, : len(window.ids)] = torch.tensor(window.ids)
        types[row, : len(window.ids)] = torch.tensor(window.types)
        mask[row, : len(window.ids)] = 1
    return ids, mask, types


def _loss(network: AnswerNetwork, batch: Sequence[Window]) -> torch.Tensor:
    ids, mask, types = _padded(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        begin, end = network(ids, mask, types)
    first = torch.tensor([window.first for window in batch])
    last = torch.tensor([window.last for window in batch])
    loss: torch.Tensor = functional.cross_entropy(_masked(begin, mask), first)
    return (loss + functional.cross_entropy(_masked(end, mask), last)) / 2


def _masked(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return logits.float().masked_fill(mask == 0, MASKED)


def _pointing(network: AnswerNetwork, windows: Sequence[Window]) -> float:
    """Share of windows whose beginning and end are both found."""
    network.eval()
    right = 0
    ordered = sorted(windows, key=lambda window: len(window.ids))
    for at in range(0, len(ordered), PREDICTED):
        batch = ordered[at : at + PREDICTED]
        ids, mask, types = _padded(batch)
        with torch.no_grad():
            begin, end = network(ids, mask, types)
        firsts = np.array([window.first for window in batch])
        lasts = np.array([window.last for window in batch])
        hits = (_masked(begin, mask).argmax(-1).numpy() == firsts) & (
            _masked(end, mask).argmax(-1).numpy() == lasts
        )
        right += int(hits.sum())
    return right / len(windows)
