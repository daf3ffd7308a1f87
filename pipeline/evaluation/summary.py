"""An evaluation on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from models.metrics import Rate
from pipeline.evaluation.causes import Cause
from pipeline.evaluation.document import Evaluation
from pipeline.evaluation.figures import Figures

CAUSES = 8
"""How many causes are shown."""

GOOD, FAIR = 0.95, 0.8
"""Shares from which a figure is green, or yellow."""


def print_summary(evaluation: Evaluation, console: Console) -> None:
    """The main figures and the main causes of failures."""
    console.print(_conditions(evaluation))
    clean = evaluation.conditions[0]
    if clean.slots is not None and clean.slots.by_slot:
        console.print(_slots(clean))
    console.print(_speed(clean))
    console.print(_rejection(clean, evaluation.thresholds))
    if evaluation.causes:
        console.print(_causes(evaluation.causes))


def _conditions(evaluation: Evaluation) -> Table:
    table = _table(
        f"{evaluation.statistics.num_wavs} recordings, {evaluation.audio_seconds / 60:.1f} "
        f"minutes, {evaluation.configuration}; shares in %, [95 % interval]"
    )
    table.add_column("", no_wrap=True)
    for name in ("accepted", "strict", "intent", "slot F1", "WER", "f.acc.", "f.rej."):
        table.add_column(name, justify="right", no_wrap=True)
    for found in evaluation.conditions:
        table.add_row(
            found.condition,
            _good(found.acceptance, interval=True),
            _good(found.acceptance_strict),
            _good(found.intents.accuracy if found.intents else None),
            _good(found.slots.f1 if found.slots else None),
            _percent(found.words.wer if found.words else None),
            _percent(found.false_accept_rate),
            _percent(found.false_reject_rate),
        )
    return table


def _slots(found: Figures) -> Table:
    table = _table(f"slots, {found.condition}")
    table.add_column("")
    for name in ("precision", "recall", "F1", "labelled"):
        table.add_column(name, justify="right")
    assert found.slots is not None
    for name, scores in found.slots.by_slot.items():
        shares = (scores.precision, scores.recall, scores.f1)
        table.add_row(
            name, *("–" if s is None else f"{100 * s:.1f}" for s in shares), str(scores.expected)
        )
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def _speed(found: Figures) -> Text:
    total, factor = found.latency_ms.get("total"), found.real_time_factor.value
    if total is None or not factor:
        return Text("nothing was heard")
    return Text(
        f"from the endpoint to the answer: {total.p50:.0f} ms (median), {total.p95:.0f} ms "
        f"(95 %), {total.max:.0f} ms (most); {1 / factor:.0f} times as fast as speech"
    )


def _rejection(found: Figures, thresholds: dict[str, float]) -> Text:
    if found.rejection is None:
        return Text("")
    best, cost = found.rejection.best, found.rejection.cost
    text = (
        f"threshold: {best.threshold:.2f} would be best here, where a false accept costs "
        f"{cost.false_accept:g} and a false reject {cost.false_reject:g} "
        f"({best.false_accepts + best.wrong_accepts} false accepts, "
        f"{best.false_rejects} false rejects); it is {thresholds.get('*', 0):g}"
    )
    if not found.rejection.unwanted:
        text += "; nothing in the data must be rejected, so false accepts can't be judged"
    return Text(text)


def _causes(causes: tuple[Cause, ...]) -> Group:
    lines = [Text("\nwhat would help most", style="bold")]
    for cause in causes[:CAUSES]:
        first = cause.failures[0]
        lines.append(
            Text.assemble(
                (f"{len(cause.failures):5}  ", "bold"),
                (f"{cause.kind}: ", "red"),
                cause.what,
                (f"  ({Path(first.audio).name}, {first.condition})", "dim"),
            )
        )
    hidden = len(causes) - CAUSES
    if hidden > 0:
        lines.append(Text(f"       and {hidden} more causes, in the report (--report DIR)"))
    return Group(*lines)


def _good(rate: Rate | None, *, interval: bool = False) -> Text:
    if rate is None or rate.value is None:
        return Text("–")
    style = "green" if rate.value >= GOOD else "yellow" if rate.value >= FAIR else "red"
    text = _percent(rate)
    if interval and rate.low is not None and rate.high is not None:
        text += f" [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"
    return Text(text, style=style)


def _percent(rate: Rate | None) -> str:
    return "–" if rate is None or rate.value is None else f"{100 * rate.value:.1f}"
