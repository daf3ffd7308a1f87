"""Curves as SVG: one panel under the other, one axis of steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, MARGIN = 720, 180, 48
_LINE = "#1f6fb4"


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line through points (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(curves: Sequence[Curve], axis: str) -> str:
    """An SVG document with a panel for each curve that has points."""
    shown = [curve for curve in curves if curve.points]
    right = max((x for curve in shown for x, _ in curve.points), default=1.0) or 1.0
    panels = "".join(_panel(curve, number * HEIGHT, right) for number, curve in enumerate(shown))
    height = HEIGHT * len(shown) + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>{panels}'
        f'<text x="{WIDTH / 2:g}" y="{height - 8}" text-anchor="middle">'
        f"{escape(axis)} (0 to {right:g})</text></svg>\n"
    )


def _panel(curve: Curve, top: float, right: float) -> str:
    values = [y for _, y in curve.points]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    inner_width, inner_height = WIDTH - 2 * MARGIN, HEIGHT - 48
    base = top + 32 + inner_height
    points = " ".join(
        f"{MARGIN + x / right * inner_width:.1f},{base - (y - low) / span * inner_height:.1f}"
        for x, y in curve.points
    )
    return (
        f'<text x="{MARGIN}" y="{top + 20}">{escape(curve.name)}: {values[-1]:.4g}</text>'
        f'<rect x="{MARGIN}" y="{top + 32}" width="{inner_width}" height="{inner_height}" '
        'fill="none" stroke="#999"/>'
        f'<text x="{MARGIN - 4}" y="{top + 42}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{MARGIN - 4}" y="{base}" text-anchor="end">{low:.3g}</text>'
        f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>'
    )
