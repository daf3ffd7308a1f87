"""How often a fault is caused: a few times by ``make test``, often by ``make soak``."""

from __future__ import annotations

import os


def times(short: int, long: int) -> int:
    """``INTENTD_FAULTS`` if it is set, else ``long`` with ``INTENTD_LONG=1`` and ``short``
    without."""
    if "INTENTD_FAULTS" in os.environ:
        return int(os.environ["INTENTD_FAULTS"])
    return long if os.environ.get("INTENTD_LONG") == "1" else short
