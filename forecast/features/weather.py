"""Weather of the target day as it was forecast at the origin, against the recent weather.

The forecast of a target day is the latest issue readable at the origin, at whatever lead that is;
``issue_age`` lets the model trust an old one less. Observations serve only for the past. Where
nobody kept forecasts, ``perfect_weather`` lets the weather observed stand in for them, and every
figure made so is marked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from forecast.features.base import Evidence, Feature, Floats, sample_rows
from forecast.features.kernels import run
from forecast.features.kernels_days import recent, targets
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
    """Weather forecast for the target day, and what it is compared with.

    ``variables`` maps the names of the variables to their units; the first is a temperature.
    """

    name = "weather"

    def __init__(self, variables: Mapping[str, str] = VARIABLES) -> None:
        self.variables = tuple(variables)
        self.reads = {"weather": self.variables, "weather_forecast": self.variables}
        self.features = (
            *(
                Feature(variable + suffix, unit, f"{variable} forecast for {when}")
                for variable, unit in variables.items()
                for suffix, when in (
                    ("", "the target day"),
                    ("_before", "the day before"),
                    ("_after", "the day after"),
                )
            ),
            Feature("issue_age", "d", "age of the forecast used, 0 where it was just read"),
            *(
                Feature(f"{variable}_{days}", unit, f"mean observed in the last {days} known days")
                for variable, unit in variables.items()
                for days in _WINDOWS
            ),
            Feature(
                "warmer",
                "°C",
                f"{self.variables[0]} forecast for the target day minus {self.variables[0]}_28",
            ),
        )

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """See :class:`forecast.features.base.Source`."""
        n = 3 * len(self.variables)
        one = np.ones(len(grid.zone_ids))
        for i, variable in enumerate(self.variables):
            past = evidence.updates("weather", variable)
            if evidence.perfect_weather:
                ahead, age = past.known_beforehand(), out[n, :0]
            else:
                ahead = evidence.updates("weather_forecast", variable)
                age = out[n] if i == 0 else out[n, :0]
            if len(ahead):
                rows = out[3 * i : 3 * i + 3]
                run(targets, grid, ahead.rows, _OFFSETS, np.nan, one, rows, age)
            if len(past):
                run(recent, grid, past.rows, _WINDOWS, out[n + 1 + 2 * i : n + 3 + 2 * i])
        np.subtract(out[0], out[n + 2], out=out[-1])

    def sample(self) -> pd.DataFrame:
        """Five weeks observed, and one issue of forecasts for the two weeks that follow."""
        days = np.arange(35)
        observed = sample_rows("weather", "temperature_max", 15 + days % 5, delay_hours=12)
        issue = sample_rows("weather_forecast", "temperature_max", 18 + np.arange(14) % 4)
        issue["date"] = issue["date"] + pd.Timedelta(days=35)
        issue["available_at"] = observed["available_at"].max()
        return pd.concat([observed, issue], ignore_index=True)


SOURCE = Weather()
