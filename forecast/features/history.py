"""Influx as it was known at the origin: levels, recent same weekdays, the year before.

Every column but ``level`` and ``mean_56`` is a ratio to a level of the zone itself, so that one
model learns from zones of any size. The level of a target day is the mean of the latest ordinary
days of its weekday; holiday runs are left out of it, because one long weekend would otherwise
hang over the six weeks that follow. So would a day of storm: one below an e-th of their median
counts as the median. The days of a standstill (a week or more without anybody, where that is rare)
count as not known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.analogue import analogue_days, run_days
from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.features.kernels import run
from forecast.features.kernels_history import history
from forecast.grid import Grid


class History:
    """Past influx of the zone itself."""

    name = "history"
    reads = {"influx": ("influx",)}
    features = (
        Feature("level", "visitors day⁻¹", "mean of the last six ordinary days of the target's "
                "weekday, holiday runs left out, outliers as the median; scale of the target"),
        Feature("mean_56", "visitors day⁻¹", "mean of the last 56 known days"),
        Feature("weekday_1", "1", "latest known day of the target's weekday, over level"),
        Feature("weekday_2", "1", "the one a week before, over level"),
        Feature("weekday_3", "1", "the one two weeks before, over level"),
        Feature("weekday_4", "1", "the one three weeks before, over level"),
        Feature("weekday_shape", "1", "mean_56 over level: how unlike other days the weekday is"),
        Feature("latest", "1", "latest known day over the level of its weekday"),
        Feature("anomaly_7", "1", "last 7 known days over the levels of their weekdays, outliers "
                "as the median"),
        Feature("spread_28", "1", "standard deviation of the same ratio over 28 days"),
        Feature("trend", "1", "last 28 known days over the same days a year before"),
        Feature("year_ago", "1", "the day 364 days before over its level at the same remove"),
        Feature("analogue", "1", "the same day of the same feast a year before over its level"),
        Feature("season_step", "1", "week around 364 days before over the 28 days that were then "
                "the latest known"),
        Feature("season_ratio", "1", "nine days around 364 days before over mean_56"),
        Feature("age", "d", "days from the newest known day to the origin"),
    )  # fmt: skip

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        updates = evidence.updates("influx", "influx")
        if not (len(updates) and len(grid)):
            return
        # To the last target day, not to the last row: that one may not have been readable.
        first, last = updates.first_day, int(grid.target_day.max())
        days = max(updates.days, last - first + 1)
        special = run_days(evidence.territory, first, days)
        analogue = analogue_days(evidence.territory, first, days)
        analogue -= first
        run(history, grid, updates.rows, special, analogue, out)

    def sample(self) -> pd.DataFrame:
        """Ten weeks of one zone."""
        days = np.arange(70)
        return sample_rows("influx", "influx", 1000 + 300 * (days % 7 >= 5) + days)


SOURCE = History()
