"""Bars that figures have to reach, for a user's continuous integration."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import msgspec

from models.errors import ConfigurationError
from pipeline.evaluation.document import SCALARS, SMALLER_IS_BETTER, Evaluation
from pipeline.evaluation.mixing import Condition


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """``acceptance=0.95``, or ``acceptance@6=0.8`` for the condition of 6 dB."""

    name: str
    condition: str
    value: float
    under: bool
    """True where the figure must not be under the value, else it must not be over it."""

    def __str__(self) -> str:
        return f"{self.name}@{self.condition} {'>=' if self.under else '<='} {self.value:g}"


def parse_bars(
    texts: Iterable[str], conditions: Iterable[Condition], *, under: bool
) -> Iterator[Bar]:
    """Bars as they are typed. Raises ConfigurationError."""
    option = "--fail-under" if under else "--fail-over"
    conditions = tuple(conditions)
    names = {c.name: c.name for c in conditions}
    ratios = [f"{c.snr:g}" for c in conditions if c.snr is not None]
    # A ratio alone names a condition where there is one noise.
    names |= {
        ratio: c.name
        for c in conditions
        if c.snr is not None and ratios.count(ratio := f"{c.snr:g}") == 1
    }
    for text in texts:
        what, _, value = text.partition("=")
        name, _, condition = what.partition("@")
        known = [n for n in SCALARS if (n in SMALLER_IS_BETTER) is not under]
        if name not in known:
            raise ConfigurationError(f"{option}: {name} is none of {', '.join(known)}")
        if (condition or "clean") not in names:
            raise ConfigurationError(
                f"{option}: {condition} is no condition of this evaluation; it has "
                f"{', '.join(names)}"
            )
        try:
            bar = float(value)
        except ValueError:
            raise ConfigurationError(f"{option}: write {what}=NUMBER, as {what}=0.9") from None
        # Error rates may be above 1; what must not fall under a bar is a share.
        if not 0 <= bar <= (1 if under else sys.float_info.max):
            raise ConfigurationError(
                f"{option}: {what} is a share, from 0 to 1; 90 % is written {what}=0.9"
            )
        yield Bar(name=name, condition=names[condition or "clean"], value=bar, under=under)


def missed(evaluation: Evaluation, bars: Iterable[Bar]) -> Iterator[str]:
    """A line for each bar that isn't reached. A figure that can't be computed reaches none."""
    by_name = {found.condition: found for found in evaluation.conditions}
    for bar in bars:
        value = SCALARS[bar.name](by_name[bar.condition])
        if value is None:
            yield f"{bar}: the data has no labels for it"
        elif value < bar.value if bar.under else value > bar.value:
            yield f"{bar}: it is {value:.4g}"
