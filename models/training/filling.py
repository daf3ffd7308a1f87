"""Batches that are filled up to a size, padding counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def fill(items: Iterable[Item], length: Callable[[Item], int], limit: int) -> list[list[Item]]:
    """Items, shortest first, in batches of at most ``limit`` when each is padded to its longest.

    An item that is longer than that has a batch of its own.
    """
    found: list[list[Item]] = []
    batch: list[Item] = []
    for item in sorted(items, key=length):
        if batch and length(item) * (len(batch) + 1) > limit:
            found.append(batch)
            batch = []
        batch.append(item)
    if batch:
        found.append(batch)
    return found
