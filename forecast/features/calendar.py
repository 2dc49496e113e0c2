"""The calendar of the target day, at home and where visitors come from.

Nothing here waits for a row: the facts are those of ``forecast/almanac.py``, known years ahead.
No column depends on the year. Beyond the years that school calendars cover, the answer is NaN.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.almanac import COLUMNS, calendar_lines, daylight_hours
from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.features.kernels import run
from forecast.features.kernels_days import leads, lines
from forecast.grid import Grid

_ALWAYS = "known years ahead"
_SCHOOL = "known for the years school calendars cover, NaN beyond"


class Calendar:
    """Weekday, season, public and school holidays, long weekends, daylight."""

    name = "calendar"
    features = (
        Feature("weekday", "1", "0 on Monday to 6 on Sunday", _ALWAYS),
        Feature("season_sin_1", "1", "sine of the day of the year, one wave a year", _ALWAYS),
        Feature("season_cos_1", "1", "cosine of the same", _ALWAYS),
        Feature("season_sin_2", "1", "sine of two waves a year", _ALWAYS),
        Feature("season_cos_2", "1", "cosine of the same", _ALWAYS),
        Feature("month", "1", "1 to 12", _ALWAYS),
        Feature("daylight", "h", "from sunrise to sunset at the zone's latitude", _ALWAYS),
        Feature("clock_change", "d", "days since the nearest change of the clock", _ALWAYS),
        Feature("holiday", "1", "public holiday at home", _ALWAYS),
        Feature("eve", "1", "eve of a public holiday", _ALWAYS),
        Feature("after", "1", "day after a public holiday", _ALWAYS),
        Feature("bridge", "1", "working day between a holiday and a weekend", _ALWAYS),
        Feature("run_length", "d", "length of the run of three or more free days", _ALWAYS),
        Feature("run_position", "d", "position in that run, from 1; 0 outside", _ALWAYS),
        Feature("run_to", "d", "days until the next run begins, at most 30", _ALWAYS),
        Feature("feast", "1", "dominant feast of the nearest run, a code; 0 if none", _ALWAYS),
        Feature("feast_offset", "d", "days since that feast, within ten", _ALWAYS),
        Feature("to_holiday", "d", "days to the next public holiday, at most 30", _ALWAYS),
        Feature("since_holiday", "d", "days since the last public holiday, at most 30", _ALWAYS),
        Feature("holiday_share", "1", "visitors whose market has a public holiday", _ALWAYS),
        Feature(
            "off_share",
            "1",
            "visitors off outside their weekend, less those at work in it",
            _ALWAYS,
        ),
        Feature("school_home", "1", "pupils at home on holiday", _SCHOOL),
        Feature("school_share", "1", "visitors whose market has school holidays", _SCHOOL),
        Feature("school_day", "d", "day within their break, the mean over markets", _SCHOOL),
        Feature("school_left", "d", "days left of the break at home; −1 outside", _SCHOOL),
        Feature("horizon_days", "d", "target date minus the local date of the origin", "always"),
        Feature("origin_weekday", "1", "weekday of the origin, 0 on Monday", "always"),
    )

    def __init__(self) -> None:
        self.reads: dict[str, tuple[str, ...]] = {}

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        if not len(grid):
            return
        territory = evidence.territory
        first = int(grid.target_day.min())
        days = int(grid.target_day.max()) - first + 1
        # Daylight alone depends on the latitude: the rest is shared by zones of the same markets.
        level = replace(territory, latitude=np.zeros(len(territory.zone_ids)))
        group, values = calendar_lines(level, first, days)
        names = [feature.name for feature in self.features[:-2]]
        kept = np.array([COLUMNS.index(name) for name in names])
        run(lines, grid, values, kept, group, first, out)

        latitudes = [round(float(latitude), 1) for latitude in territory.latitude]
        bands = {latitude: i for i, latitude in enumerate(dict.fromkeys(latitudes))}
        sun = np.array([daylight_hours(latitude, first, days) for latitude in bands])
        band = np.array([bands[latitude] for latitude in latitudes])
        place = names.index("daylight")
        run(lines, grid, sun[None].astype(np.float32), kept[:1] * 0, band, first, out[place:])
        run(leads, grid, out[-2:])

    def sample(self) -> pd.DataFrame:
        """An empty table: the calendar reads no observations."""
        return sample_rows(self.name, "", [])


SOURCE = Calendar()
