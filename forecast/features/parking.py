"""Occupancy of car parks, each compared with its own recent normal, and how full they were.

A full car park hides demand: where the mean occupancy of the day reaches :data:`FULL` the reading
is a lower bound, so its index counts as at least normal, and ``full_7`` says how often that
happened.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.features.base import Evidence, Feature, Floats, index_features, sample_rows
from forecast.features.kernels import run
from forecast.features.kernels_sites import sites
from forecast.grid import Grid

FULL = 0.9
"""Mean occupancy from 9 to 19 h above which a car park was full for hours [share]."""


class Parking:
    """Robust index of occupancy, and saturation."""

    name = "parking"
    reads = {"parking": ("occupancy",)}
    features = (
        *index_features("occupancy"),
        Feature("full_7", "1", f"share of lots × days with occupancy ≥ {FULL} in the last 7 days"),
    )

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        updates = evidence.updates("parking", "occupancy", by="site")
        if len(updates):
            run(sites, grid, updates.rows, np.float32(FULL), out)

    def sample(self) -> pd.DataFrame:
        """Fourteen weeks of one car park that is full on Saturdays."""
        days = np.arange(98)
        occupancy = np.where(days % 7 == 5, 0.97, 0.4 + 0.001 * days)
        return sample_rows("parking", "occupancy", occupancy, site_id="harbour", delay_hours=2)


SOURCE = Parking()
