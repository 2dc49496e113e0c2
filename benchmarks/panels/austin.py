"""Waste weighed in Austin, Texas, with the weather observed there, as an input folder.

One zone; see :mod:`benchmarks.panels.tickets`. The site is closed on nearly every Sunday, and a
Saturday is quiet unless a public holiday has moved the rounds of the week by a day. Weather comes
in imperial units, with ``-`` where nothing was measured and ``T`` for a trace of rain.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels.folder import main
from benchmarks.panels.tickets import DATA, city, tonnes

START = "2012-07-01"


def panel(data: Path) -> tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]:
    """The territory and its tables, from the files of the data set."""
    territory = city(
        "austin",
        "Austin",
        START,
        country="US",
        subdivision="TX",
        timezone="America/Chicago",
        position=(30.27, -97.74),
        population=950_000,
        publisher="City of Austin",
    )
    tables = {
        "influx": tonnes(data / "austin_daily_waste.csv", "austin", START),
        "weather": weather(data / "austin_weather_2013_2017.csv"),
    }
    return territory, tables


def weather(path: Path) -> pd.DataFrame:
    """The ``weather`` table: degrees Celsius, millimetres and km/h."""
    station = pd.read_csv(path, na_values="-")
    inches = pd.to_numeric(station["PrecipitationSumInches"].replace("T", "0"))
    return pd.DataFrame(
        {
            "zone_id": "austin",
            "date": pd.to_datetime(station["Date"], format="%m/%d/%Y").dt.strftime("%Y-%m-%d"),
            "temperature_max": ((station["TempHighF"] - 32) / 1.8).round(1),
            "temperature_min": ((station["TempLowF"] - 32) / 1.8).round(1),
            "precipitation": (25.4 * inches).round(1),
            "wind_gust": (1.609344 * station["WindGustMPH"]).round(1),
        }
    )


if __name__ == "__main__":
    main("austin", panel, __doc__, DATA)
