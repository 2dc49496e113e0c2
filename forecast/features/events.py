"""Events announced by the origin: persons expected on the target day and around it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.features import kernels
from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.grid import Grid

_OFFSETS = np.array([0, -1, 1])


class Events:
    """Attendance announced, per inhabitant, so that one model serves zones of any size."""

    name = "events"
    reads = {"events": ("attendance",)}
    features = (
        Feature("attendance", "1", "attendance announced for the day, over the population"),
        Feature("before", "1", "attendance announced for the day before, over the population"),
        Feature("after", "1", "attendance announced for the day after, over the population"),
    )

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`; no event announced is 0, not NaN."""
        updates = evidence.updates("events", "attendance")
        if len(updates):
            kernels.run(kernels.targets, grid, updates, _OFFSETS, out)
        np.nan_to_num(out, copy=False, nan=0.0)
        population = np.append(evidence.territory.population, np.nan).astype(np.float32)
        out /= population[grid.row_zone]

    def sample(self) -> pd.DataFrame:
        """A festival of three days announced a month before."""
        rows = sample_rows("events", "attendance", [4000, 9000, 7000], site_id="Festival")
        rows["available_at"] = rows["date"].min().tz_localize("UTC") - pd.Timedelta(days=30)
        return rows


SOURCE = Events()
