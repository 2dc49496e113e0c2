"""Bicycles past nine counters of Münster, with the car parks of the city, as an input folder.

Zones are the nine counters that have counted since 2020 or before; ``influx`` is the bicycles past
one on a day, a number of passages and not of visitors, kept only where the day was counted in full
(``complete``). The seventeen car parks are one ``parking`` source. Neither counters nor car parks
have a position in the data and there is one city, so every zone is given every car park as a site.
Occupancy is occupied places over the capacity the data set estimates, which is fixed for each car
park; there is no weather.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels.folder import main, unpeopled

START = "2019-01-01"

COUNTERS = (
    "100031297",
    "100031300",
    "100034978",
    "100034980",
    "100034981",
    "100034982",
    "100034983",
    "100035541",
    "100053305",
)


def panel(data: Path) -> tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]:
    """The territory and its tables, from the files of the data set."""
    bikes = pd.read_csv(data / "bike_counters_daily.csv.gz", dtype={"site_id": str})
    bikes = bikes[bikes["site_id"].isin(COUNTERS) & bikes["complete"] & (bikes["date"] >= START)]
    influx = bikes.rename(columns={"site_id": "zone_id", "count": "influx"})
    lots = pd.read_csv(data / "parking_lots_daily.csv.gz")
    lots = pd.DataFrame(
        {
            "site_id": lots["place_id"].str.removeprefix("stadt-muenster-parken-"),
            "date": lots["date"],
            "occupancy": (lots["occ"] / lots["cap"]).round(4),
        }
    )
    parking = pd.DataFrame({"zone_id": COUNTERS}).merge(lots, how="cross")
    return territory(), {
        "influx": influx[["zone_id", "date", "influx"]].sort_values(["zone_id", "date"]),
        "parking": parking.sort_values(["zone_id", "site_id", "date"]),
    }


def territory() -> Mapping[str, Any]:
    """Content of territory.toml."""
    return {
        "id": "muenster",
        "name": "Münster, bicycles by counter",
        "timezone": "Europe/Berlin",
        "country": "DE",
        "subdivision": "NW",
        "school": "NW",
        "attribution": "Stadt Münster",
        "licence": "Datenlizenz Deutschland – Namensnennung – Version 2.0 (bicycles)",
        # Counters report overnight, car parks within minutes.
        "sources": {
            "influx": {"publication_delay_hours": 8.0},
            "parking": {"publication_delay_hours": 2.0},
        },
        "training": {"start": START},
        "zones": unpeopled({zone: f"Counter {zone}" for zone in COUNTERS}, 51.962, 7.626),
    }


if __name__ == "__main__":
    main("muenster", panel, __doc__)
