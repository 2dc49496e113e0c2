"""Passages counted by sensors, each compared with its own recent normal.

A zone's index is the median over its sites of "count over the median of the same weekday in the
eight weeks before"; a dead, stuck or new sensor has no index, and one sensor that was recalibrated
is outvoted by the others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.features.base import Evidence, Feature, Floats, index_features, sample_rows
from forecast.features.kernels import run
from forecast.features.kernels_sites import sites
from forecast.grid import Grid


class Mobility:
    """Robust index of passages."""

    name = "mobility"
    reads = {"mobility": ("count",)}
    features: tuple[Feature, ...] = index_features("passages")

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        updates = evidence.updates("mobility", "count", by="site")
        if len(updates):
            run(sites, grid, updates.rows, np.float32(np.inf), out)

    def sample(self) -> pd.DataFrame:
        """Fourteen weeks of two counters."""
        days = np.arange(98)
        count = 5000 + 900 * (days % 7 >= 5) + 7 * days
        return pd.concat(
            [
                sample_rows("mobility", "count", count, site_id="bridge", delay_hours=8),
                sample_rows("mobility", "count", count // 3, site_id="quay", delay_hours=8),
            ],
            ignore_index=True,
        )


SOURCE = Mobility()
