"""Waste weighed in Ballarat, Victoria, with the weather observed there, as an input folder.

One zone; see :mod:`benchmarks.panels.tickets`. The site never opens on a Sunday, and has opened on
Saturdays, for a sixth of a weekday's tonnes, since February 2014 only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels.folder import main
from benchmarks.panels.tickets import DATA, city, tonnes

START = "2010-02-01"

WEATHER = {
    "Date": "date",
    "MaxTemp": "temperature_max",
    "MinTemp": "temperature_min",
    "Rainfall": "precipitation",
    "Sunshine": "sunshine",
    "WindGustSpeed": "wind_gust",
}


def panel(data: Path) -> tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]:
    """The territory and its tables, from the files of the data set."""
    territory = city(
        "ballarat",
        "Ballarat",
        START,
        country="AU",
        subdivision="VIC",
        timezone="Australia/Melbourne",
        position=(-37.56, 143.85),
        population=100_000,
        publisher="City of Ballarat, Bureau of Meteorology",
    )
    station = pd.read_csv(data / "weatherAUS_victoria_4_stations.csv.gz")
    station = station[station["Location"] == "Ballarat"].rename(columns=WEATHER)
    weather = station[list(WEATHER.values())].assign(zone_id="ballarat")
    influx = tonnes(data / "ballarat_daily_waste.csv", "ballarat", START)
    return territory, {"influx": influx, "weather": weather[weather["date"] >= START]}


if __name__ == "__main__":
    main("ballarat", panel, __doc__, DATA)
