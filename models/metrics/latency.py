"""How long things take."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds, linearly interpolated between the measured ones."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float


def percentiles(milliseconds: Sequence[float]) -> Percentiles | None:
    """Percentiles of measured times; None when there are none."""
    if not milliseconds:
        return None
    p50, p90, p95, p99 = (float(p) for p in np.percentile(milliseconds, [50, 90, 95, 99]))
    return Percentiles(
        count=len(milliseconds),
        mean=float(np.mean(milliseconds)),
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        max=float(max(milliseconds)),
    )
