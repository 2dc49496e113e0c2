"""Cars in the car parks of Münster as influx, as an input folder.

``influx`` is the mean number of occupied places from 9 to 19 h, a number of cars and not of
visitors. The seventeen car parks are the zones; the bicycles are left out. Car parks that open,
close or stop reporting in between are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels import muenster
from benchmarks.panels.folder import main

START = "2020-04-01"
DATA = "muenster"
"""Folder of the data set."""

LOTS = (
    "Parkhaus-Aegidii",
    "Parkhaus-Alter-Steinweg",
    "Parkhaus-Bahnhofstrasse",
    "Parkhaus-Bremer-Platz",
    "Parkhaus-Cineplex",
    "Parkhaus-Engelenschanze",
    "Parkhaus-Karstadt",
    "Parkhaus-Munster-Arkaden",
    "Parkhaus-PH-Coesfelder-Kreuz",
    "Parkhaus-PH-Stadthaus-3",
    "Parkhaus-Stubengasse",
    "Parkhaus-Theater",
    "Parkplatz-Busparkplatz",
    "Parkplatz-Georgskommende",
    "Parkplatz-Horster-Platz",
    "Parkplatz-Schlossplatz-Nord",
    "Parkplatz-Schlossplatz-Sud",
)


def panel(data: Path) -> tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]:
    """The territory and its table, from the file of the data set."""
    lots = pd.read_csv(data / "parking_lots_daily.csv.gz")
    lots = lots[(lots["date"] >= START) & lots["occ"].notna()]
    influx = pd.DataFrame(
        {
            "zone_id": lots["place_id"].str.removeprefix("stadt-muenster-parken-"),
            "date": lots["date"],
            "influx": lots["occ"].round(1),
        }
    )
    return territory(), {"influx": influx.sort_values(["zone_id", "date"], ignore_index=True)}


def territory() -> Mapping[str, Any]:
    """Content of territory.toml: the city of :mod:`benchmarks.panels.muenster`."""
    city = muenster.territory()
    return {
        **city,
        "id": "muenster-lots",
        "name": "Münster, cars by car park",
        "licence": "no licence stated; measured with, not shipped",
        "sources": {"influx": city["sources"]["parking"]},
        "training": {"start": START},
        "zones": [{**city["zones"][0], "id": lot, "name": lot} for lot in LOTS],
    }


if __name__ == "__main__":
    main("muenster_lots", panel, __doc__, DATA)
