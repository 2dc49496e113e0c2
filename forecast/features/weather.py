"""Weather of the target day as it was forecast at the origin, against the recent weather.

The forecast of a target day is the latest issue readable at the origin, at whatever lead that is;
``issue_age`` lets the model trust an old one less. Observations serve only for the past. Where
nobody kept forecasts, ``perfect_weather`` lets the weather observed stand in for them, and every
figure made so is marked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.features import kernels
from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.grid import Grid

VARIABLES = {
    "temperature_max": "°C",
    "temperature_min": "°C",
    "precipitation": "mm",
    "sunshine": "h",
    "wind_gust": "km h⁻¹",
}
_OFFSETS = np.array([0, -1, 1])
_WINDOWS = np.array([7, 28])


class Weather:
    """Weather forecast for the target day, and what it is compared with."""

    name = "weather"
    reads = {"weather": tuple(VARIABLES), "weather_forecast": tuple(VARIABLES)}
    features = (
        *(
            Feature(variable + suffix, unit, f"{variable} forecast for {when}")
            for variable, unit in VARIABLES.items()
            for suffix, when in (
                ("", "the target day"),
                ("_before", "the day before"),
                ("_after", "the day after"),
            )
        ),
        Feature("issue_age", "d", "age of the forecast used, 0 where it was just read"),
        *(
            Feature(f"{variable}_{window}", unit, f"mean observed in the last {window} known days")
            for variable, unit in VARIABLES.items()
            for window in _WINDOWS
        ),
        Feature("warmer", "°C", "forecast maximum of the target day minus temperature_max_28"),
    )

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        n, age = 3 * len(VARIABLES), 3 * len(VARIABLES)
        for i, variable in enumerate(VARIABLES):
            ahead = evidence.updates("weather_forecast", variable)
            if evidence.perfect_weather:
                ahead = evidence.updates("weather", variable).known_beforehand()
            if len(ahead):
                rows = out[3 * i : 3 * i + 3]
                if i == 0 and not evidence.perfect_weather:
                    rows = np.full((4, len(grid)), np.nan, dtype=np.float32)
                    kernels.run(kernels.targets, grid, ahead, _OFFSETS, rows)
                    out[:3], out[age] = rows[:3], rows[3]
                else:
                    kernels.run(kernels.targets, grid, ahead, _OFFSETS, rows)
            past = evidence.updates("weather", variable)
            if len(past):
                rows = np.full((3, len(grid)), np.nan, dtype=np.float32)
                kernels.run(kernels.recent, grid, past, _WINDOWS, rows)
                out[n + 1 + 2 * i : n + 3 + 2 * i] = rows[:2]
        out[-1] = out[0] - out[n + 2]

    def sample(self) -> pd.DataFrame:
        """Five weeks observed, and one issue of forecasts for the two weeks that follow."""
        days = np.arange(35)
        observed = sample_rows("weather", "temperature_max", 15 + days % 5, delay_hours=12)
        issue = sample_rows("weather_forecast", "temperature_max", 18 + np.arange(14) % 4)
        issue["date"] = issue["date"] + pd.Timedelta(days=35)
        issue["available_at"] = observed["available_at"].max()
        return pd.concat([observed, issue], ignore_index=True)


SOURCE = Weather()
