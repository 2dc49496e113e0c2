"""Events announced by the origin: persons expected on the target day and around it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.features.kernels import run
from forecast.features.kernels_days import targets
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
        """See :class:`forecast.features.base.Source`.

        No event announced is 0 even where a territory has no events at all: whether it will ever
        announce one is not known at the origin. Only a zone outside the territory gets NaN.
        """
        updates = evidence.updates("events", "attendance")
        age = np.empty(0, dtype=np.float32)
        run(targets, grid, updates.rows, _OFFSETS, 0.0, evidence.territory.population, out, age)

    def sample(self) -> pd.DataFrame:
        """A festival of three days announced a month before."""
        rows = sample_rows("events", "attendance", [4000, 9000, 7000], site_id="Festival")
        rows["available_at"] = rows["date"].min().tz_localize("UTC") - pd.Timedelta(days=30)
        return rows


SOURCE = Events()
