"""Colours, as CSS writes them."""

from __future__ import annotations

from models.values.words import Words, without

_MORE = {
    "off white": "#faf9f6",
    "warm white": "#ffa757",  # 2700 K
    "soft white": "#ffb46b",  # 3000 K
    "cool white": "#ffe4ce",  # 5000 K
    "daylight": "#fffefa",  # 6500 K
    "lilac": "#c8a2c8",
    "navy blue": "navy",
    "rose": "#ff007f",
    "amber": "#ffbf00",
}


def color(words: Words) -> str | None:
    """A CSS colour: its name (``darkblue``), or ``#rrggbb`` where CSS has none for it."""
    import webcolors

    words = without(words, "a", "the", "color", "colour")
    text = " ".join(words)
    if text in _MORE:
        return _MORE[text]
    names = set(webcolors.names())
    name = "".join(words).replace("grey", "gray")
    if name in names:
        return name
    if len(words) == 2 and words[0] in ("light", "pale", "dark", "deep") and words[1] in names:
        shade = 255 if words[0] in ("light", "pale") else 0
        parts = webcolors.name_to_rgb(words[1])
        return "#" + "".join(f"{(part + shade + 1) // 2:02x}" for part in parts)
    return None
