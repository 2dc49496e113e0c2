"""Waste collected, spread back over the days on which it was thrown away.

A round collects what was thrown away since the round before, so tonnage lags presence by one to
four days and depends on the collection calendar. Each collection is therefore shared out over the
days since the one before of the same round; a day without a round is not a day without waste. Each
round is compared with its own normal, so that glass taken once a month does not read as a surge.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.features.kernels import run
from forecast.features.kernels_collections import collections
from forecast.grid import Grid


class Waste:
    """Tonnage against its own normal."""

    name = "waste"
    reads = {"waste": ("tonnage",)}
    features = (
        Feature("week", "1", "daily tonnage thrown away in the last known week over the eight "
                "weeks before"),
        Feature("month", "1", "the last four known weeks over the eight before"),
        Feature("weekday", "1", "latest known day of the target's weekday over the eight weeks "
                "before"),
        Feature("year", "1", "last 14 known days of collection over the same a year before"),
        Feature("age", "d", "days from the newest known collection to the origin"),
    )  # fmt: skip

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        updates = evidence.updates("waste", "tonnage", by="site")
        if len(updates):
            run(collections, grid, updates.rows, out)

    def sample(self) -> pd.DataFrame:
        """Fourteen weeks of one round, on Mondays and Thursdays."""
        days = np.arange(98)
        tonnage = np.where(np.isin(days % 7, (0, 3)), 20.0 + 0.1 * days, np.nan)
        return sample_rows("waste", "tonnage", tonnage, site_id="omr", delay_hours=80).dropna(
            subset="value"
        )


SOURCE = Waste()
