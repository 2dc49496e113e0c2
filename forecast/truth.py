"""What came true: influx by zone and day, as it was known at one instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.features.base import Evidence
from forecast.grid import Grid

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Truth:
    """Influx as known at one instant [visitors day⁻¹], shape (zones, days) from ``first_day``."""

    first_day: int
    values: Floats

    def of(self, grid: Grid) -> Doubles:
        """Influx of each question's zone and target day, NaN where not known."""
        position = grid.target_day - self.first_day
        inside = (position >= 0) & (position < self.values.shape[1]) & (grid.row_zone >= 0)
        answer = np.full(len(grid), np.nan)
        answer[inside] = self.values[grid.row_zone[inside], position[inside]]
        return answer


def truth_at(evidence: Evidence, known_at: pd.Timestamp) -> Truth:
    """Influx as it was known at an instant."""
    updates = evidence.updates("influx", "influx")
    zones = len(evidence.territory.zone_ids)
    values = np.full((zones, max(updates.days, 1)), np.nan, dtype=np.float32)
    series = np.repeat(updates.series_zone, np.diff(updates.start))
    readable = updates.at <= known_at.value // 1000
    # Rows are in the order they became readable: of two for one day the later is written last.
    values[series[readable], updates.day[readable] - updates.first_day] = updates.value[readable]
    return Truth(updates.first_day, values)
