"""What got better and what got worse between two evaluations of the same recordings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from models.errors import ConfigurationError
from models.metrics import Cost, McNemar, mcnemar
from pipeline.evaluation.document import SCALARS, SMALLER_IS_BETTER, Evaluation
from pipeline.evaluation.figures import Figures, figures
from pipeline.evaluation.outcome import Outcome

SHOWN = 10
"""Recordings that are named for each direction."""


class ConditionChange(msgspec.Struct, frozen=True, kw_only=True):
    """How one condition changed."""

    condition: str
    recordings: int
    """Recordings that both evaluations hold."""

    left_out: int
    """Recordings that only one of them holds."""

    figures: dict[str, tuple[float | None, float | None]]
    """First and second value by name, over the recordings that both hold."""

    test: McNemar
    """Over what was accepted strictly; over correct texts where no intents are labelled."""

    better: tuple[str, ...]
    worse: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two evaluations side by side."""

    first: str
    second: str
    conditions: tuple[ConditionChange, ...]


def compare(first: Evaluation, second: Evaluation) -> Comparison:
    """Compare what both hold. Raises ConfigurationError when that is nothing, or when a
    recording was labelled otherwise."""
    before = {(o.condition, o.audio): o for o in first.recordings}
    after = {(o.condition, o.audio): o for o in second.recordings}
    common = [key for key in before if key in after]
    if not common:
        raise ConfigurationError(
            "the two evaluations share no recording under the same condition; evaluate the same "
            "data with both configurations"
        )
    for key in common:
        if before[key].expected != after[key].expected:
            raise ConfigurationError(
                f"{key[1]}: is labelled otherwise in the second evaluation; evaluate both anew"
            )
    known = [{f.condition: f for f in e.conditions} for e in (first, second)]
    return Comparison(
        first=f"{first.configuration}, {first.created}",
        second=f"{second.configuration}, {second.created}",
        conditions=tuple(
            _change(
                name,
                [(before[key], after[key]) for key in common if key[0] == name],
                known[0][name],
                known[1][name],
            )
            for name in dict.fromkeys(condition for condition, _ in common)
        ),
    )


def _change(
    name: str, pairs: Sequence[tuple[Outcome, Outcome]], first: Figures, second: Figures
) -> ConditionChange:
    left_out = first.recordings + second.recordings - 2 * len(pairs)
    if left_out:
        first, second = (
            figures(name, outcomes, found.rejection.cost if found.rejection else Cost())
            for found, outcomes in zip((first, second), zip(*pairs, strict=True), strict=True)
        )
    return ConditionChange(
        condition=name,
        recordings=len(pairs),
        left_out=left_out,
        figures={key: (get(first), get(second)) for key, get in SCALARS.items()},
        test=mcnemar([not a.failed for a, _ in pairs], [not b.failed for _, b in pairs]),
        better=tuple(a.audio for a, b in pairs if a.failed and not b.failed),
        worse=tuple(a.audio for a, b in pairs if b.failed and not a.failed),
    )


def print_comparison(comparison: Comparison, console: Console) -> None:
    """A table for each condition, and the recordings that changed."""
    console.print(
        f"first:  {comparison.first}\nsecond: {comparison.second}", markup=False, soft_wrap=True
    )
    for change in comparison.conditions:
        console.print(_table(change))
        test = change.test
        verdict = "significant" if test.significant else "no significant difference"
        console.print(
            f"of {change.recordings} recordings {test.better} got right and {test.worse} wrong: "
            f"{verdict} (McNemar, p = {test.p:.3g})",
            soft_wrap=True,
        )
        if change.left_out:
            console.print(
                f"{change.left_out} recordings that only one of the evaluations holds are left out",
                soft_wrap=True,
            )
        for word, names in (("right", change.better), ("wrong", change.worse)):
            for name in names[:SHOWN]:
                console.print(f"  now {word}: {name}", markup=False, soft_wrap=True)
            if len(names) > SHOWN:
                console.print(f"  and {len(names) - SHOWN} more")


def _table(change: ConditionChange) -> Table:
    table = Table(
        title=change.condition, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    table.add_column("")
    for heading in ("first", "second", "change"):
        table.add_column(heading, justify="right")
    for name, (before, after) in change.figures.items():
        if before is None or after is None:
            continue
        better = (after < before) if name in SMALLER_IS_BETTER else (after > before)
        style = "" if before == after else "green" if better else "red"
        difference = f"[{style}]{after - before:+.4g}[/]" if style else "="
        table.add_row(name, f"{before:.4g}", f"{after:.4g}", difference)
    return table
