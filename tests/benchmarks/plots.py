"""Plots for the documentation, as SVG that suits light and dark pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 320, 52, 170, 16, 46
COLOURS = ("#2a63d6", "#c2571a", "#17794a", "#8a4fbf", "#6b7280", "#b3372c")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}line{stroke:#8884}"
    "polyline{fill:none;stroke-width:2.25}"
    "@media(prefers-color-scheme:dark){text{fill:#9aa3b0}}"
)


def lines(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[float | None]]) -> str:
    """A line for each row of shares in [0, 1] over the columns; names stand at their ends."""
    known = [value for row in rows.values() for value in row if value is not None]
    low = 0.0 if min(known) < 0.45 else 0.4

    def x(place: float) -> float:
        return LEFT + place / max(1, len(columns) - 1) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (1 - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img"><title>{escape(title)}</title><style>{STYLE}</style>'
    ]
    for step in range(round((1 - low) * 5) + 1):
        value = low + step / 5
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
            f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0%}</text>'
        )
    for place, column in enumerate(columns):
        parts.append(
            f'<text x="{x(place):.1f}" y="{HEIGHT - 22}" text-anchor="middle">'
            f"{escape(column)}</text>"
        )
    ends = sorted(
        (y(row_end), name)
        for name, row in rows.items()
        if (row_end := next((v for v in reversed(row) if v is not None), None)) is not None
    )
    heights: dict[str, float] = {}
    above = -100.0
    for height, name in ends:
        above = max(height, above + 16)
        heights[name] = above
    for number, (name, row) in enumerate(rows.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(x(i), y(v)) for i, v in enumerate(row) if v is not None]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in points)
        parts.append(
            f'<g stroke="{colour}"><polyline points="{path}"/><g fill="{colour}">{dots}</g></g>'
            f'<text x="{WIDTH - RIGHT + 12}" y="{heights[name] + 4:.1f}" '
            f'style="fill:{colour}">{escape(name)}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">'
        f"{escape(title)}</text></svg>\n"
    )
    return "".join(parts)


def bars(
    title: str,
    columns: Sequence[str],
    rows: Mapping[str, Sequence[float | None]],
    *,
    full: float = 1.0,
    show: Callable[[float], str] = lambda value: f"{100 * value:.1f}",
) -> str:
    """Bars for each row of values in [0, ``full``], one in each colour of the columns."""
    left, bar, gap, top = 275, 11, 9, 26
    step = bar * len(columns) + gap
    height = top + step * len(rows)

    def text(x: float, y: float, words: str, style: str) -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'role="img"><title>{escape(title)}</title><style>{STYLE}</style>'
    ]
    for number, column in enumerate(columns):
        parts.append(text(left + 150 * number, 14, column, f'style="fill:{COLOURS[number]}"'))
    for place, (name, values) in enumerate(rows.items()):
        above = top + place * step
        middle = above + bar * len(columns) / 2 + 4
        parts.append(text(left - 8, middle, name, 'text-anchor="end"'))
        for number, value in enumerate(values):
            if value is None:
                continue
            width = value / full * (WIDTH - left - 60)
            y = above + bar * number
            parts.append(
                f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{bar - 1}" '
                f'fill="{COLOURS[number]}"/>'
            )
            small = 'style="font-size:10px"'
            parts.append(text(left + width + 5, y + bar - 2, show(value), small))
    return "".join([*parts, "</svg>\n"])
