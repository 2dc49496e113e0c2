"""Road traffic in twelve regions of France, as an input folder.

``influx`` is an index, not a number of visitors: 1000 × (1 + ITV), where ITV is the relative
change of all-vehicle flow on the counted national roads against 13 January to 2 February 2020. So
1000 is the traffic of that winter. The row called France, a total, is left out, and a day without
a value has no row. There is neither mobility nor weather. Rows start after the last lockdown's
recovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels.folder import main

START = "2021-10-01"

# Name as in the data: INSEE code, name, inhabitants (rounded, 2021), latitude, longitude [degrees],
# school zone. Since 2016 every one of these regions lies in one school zone.
REGIONS = {
    "Auvergne-Rhône-Alpes": ("84", "Auvergne-Rhône-Alpes", 8_110_000, 45.5, 4.5, "A"),
    "Bourgogne-Franche-Comté": ("27", "Bourgogne-Franche-Comté", 2_800_000, 47.2, 4.8, "A"),
    "Bretagne": ("53", "Bretagne", 3_390_000, 48.2, -2.8, "B"),
    "Centre-Val de Loire": ("24", "Centre-Val de Loire", 2_570_000, 47.5, 1.7, "B"),
    "Grand Est": ("44", "Grand Est", 5_560_000, 48.7, 5.6, "B"),
    "Hauts-de-France": ("32", "Hauts-de-France", 6_000_000, 50.0, 2.8, "B"),
    "Ile-de-France": ("11", "Île-de-France", 12_320_000, 48.7, 2.5, "C"),
    "Normandie": ("28", "Normandie", 3_330_000, 49.1, 0.1, "B"),
    "Nouvelle-Aquitaine": ("75", "Nouvelle-Aquitaine", 6_070_000, 45.2, 0.2, "A"),
    "Occitanie": ("76", "Occitanie", 6_020_000, 43.7, 2.1, "C"),
    "Pays de la Loire": ("52", "Pays de la Loire", 3_850_000, 47.5, -0.8, "B"),
    "Provence-Alpes-Côte d'Azur": ("93", "Provence-Alpes-Côte d'Azur", 5_130_000, 44.0, 6.1, "B"),
}

OWN_SHARE = 0.6
"""Share of traffic laid to the region's own school zone before the rest goes by population
(judgement: most cars on a region's roads are its own)."""


def panel(data: Path) -> tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]:
    """The territory and its table, from the file of the data set."""
    daily = pd.read_csv(data / "daily_regions.csv.gz").dropna(subset="ITV")
    daily = daily[daily["Zone"].isin(list(REGIONS)) & (daily["date"] >= START)]
    influx = pd.DataFrame(
        {
            "zone_id": daily["Zone"].map({name: region[0] for name, region in REGIONS.items()}),
            "date": daily["date"],
            "influx": (1000 * (1 + daily["ITV"])).round(1),
        }
    )
    return territory(), {"influx": influx.sort_values(["zone_id", "date"])}


def origin_markets(own: str) -> list[Mapping[str, Any]]:
    """Shares of the three school zones in the traffic of a region that lies in ``own``."""
    inhabitants = dict.fromkeys("ABC", 0)
    for *_, people, _, _, zone in REGIONS.values():
        inhabitants[zone] += people
    total = sum(inhabitants.values())
    return [
        {
            "country": "FR",
            "school": f"Zone {zone}",
            "share": round((1 - OWN_SHARE) * people / total + OWN_SHARE * (zone == own), 4),
        }
        for zone, people in inhabitants.items()
    ]


def territory() -> Mapping[str, Any]:
    """Content of territory.toml."""
    zones = []
    for code, name, people, latitude, longitude, zone in REGIONS.values():
        # Alsace and Moselle, with two more public holidays, are 53 % of the people of Grand Est.
        subdivision = {"subdivision": "6AE"} if code == "44" else {}
        zones.append(
            {
                "id": code,
                "name": name,
                "population": people,
                "latitude": latitude,
                "longitude": longitude,
                "country": "FR",
                **subdivision,
                "school": f"Zone {zone}",
                "origin_markets": origin_markets(zone),
            }
        )
    return {
        "id": "cerema-traffic",
        "name": "Trafic routier de douze régions (indice, 1000 = janvier 2020)",
        "country": "FR",
        "attribution": "Cerema, Indicateurs de trafic routier",
        "licence": "Licence Ouverte 2.0",
        # "Actualisée quotidiennement avec les données de l'avant-veille" (Cerema, 2020): a day can
        # be read in the morning of the day after next.
        "sources": {"influx": {"publication_delay_hours": 32.0}},
        "training": {"start": START, "refit_days": 28},
        "zones": zones,
    }


if __name__ == "__main__":
    main("cerema_traffic", panel, __doc__)
