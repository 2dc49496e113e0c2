"""The tide on the target day, for zones with a seashore near Le Havre.

The tide is predicted from harmonic constituents (``forecast/tides.py``), so nothing waits for a
row. It is known for Le Havre alone and serves coastal zones within 60 km; other zones get NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.grid import Grid
from forecast.territory import Territory
from forecast.tides import STATION, daily

REACH_KM = 60.0
_ALWAYS = "computed, for coastal zones within 60 km of Le Havre"


class Sea:
    """Range of the tide, and low water in bathing hours."""

    name = "sea"
    features = (
        Feature("range", "m", "highest less lowest predicted height of the day", _ALWAYS),
        Feature("low_bathing", "1", "low water falls between 10 and 18 h local time", _ALWAYS),
        Feature("low_hours", "h", "time below −1.5 m between 10 and 18 h", _ALWAYS),
        Feature("low_time", "h", "local time of the low water nearest to 14 h", _ALWAYS),
    )

    def __init__(self) -> None:
        self.reads: dict[str, tuple[str, ...]] = {}

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        reached = np.append(near_le_havre(evidence.territory), False)
        rows = reached[grid.row_zone]
        if not rows.any():
            return
        target = grid.target_day if rows.all() else grid.target_day[rows]
        first, last = int(target.min()), int(target.max())
        tide = daily(first, last - first + 1, evidence.territory.timezone)
        lines = (tide.range, tide.low_bathing, tide.low_hours, tide.low_time)
        for line, column in zip(lines, out, strict=True):
            column[rows] = line.astype(np.float32)[target - first]

    def sample(self) -> pd.DataFrame:
        """An empty table: the sea reads no observations."""
        return sample_rows(self.name, "", [])


def near_le_havre(territory: Territory) -> npt.NDArray[np.bool_]:
    """Coastal zones within :data:`REACH_KM` of the gauge, shape (zones,)."""
    latitude, longitude = np.radians(territory.latitude), np.radians(territory.longitude)
    phi, theta = np.radians(STATION)
    haversine = (
        np.sin((latitude - phi) / 2) ** 2
        + np.cos(latitude) * np.cos(phi) * np.sin((longitude - theta) / 2) ** 2
    )
    near = 2 * 6371 * np.arcsin(np.sqrt(haversine)) <= REACH_KM
    return np.asarray(territory.coast & near)


SOURCE = Sea()
