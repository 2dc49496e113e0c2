"""Visitors through the control points of Hong Kong, as an input folder.

Zones are the 11 control points that were active throughout: Hung Hom and Sha Tau Kok were closed,
Harbour Control counts ships' crews, and the Kai Tak cruise terminal stands empty on three days of
five. ``influx`` is arrivals of mainland and other visitors; arrivals and departures of residents
are ``mobility``, two sites per zone, from the same turnstiles and published in the same table, so
that a resident count is never readable before the influx of its day. Rows start when the border
had reopened after the pandemic.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels.folder import main

START = "2023-03-01"

# Control point as in the data: zone id, latitude, longitude [degrees].
ZONES = {
    "Airport": ("airport", 22.315, 113.935),
    "China Ferry Terminal": ("china-ferry-terminal", 22.300, 114.167),
    "Express Rail Link West Kowloon": ("express-rail-link-west-kowloon", 22.304, 114.165),
    "Heung Yuen Wai": ("heung-yuen-wai", 22.555, 114.155),
    "Hong Kong-Zhuhai-Macao Bridge": ("hong-kong-zhuhai-macao-bridge", 22.319, 113.951),
    "Lo Wu": ("lo-wu", 22.528, 114.113),
    "Lok Ma Chau": ("lok-ma-chau", 22.511, 114.075),
    "Lok Ma Chau Spur Line": ("lok-ma-chau-spur-line", 22.514, 114.066),
    "Macao Ferry Terminal": ("macao-ferry-terminal", 22.289, 114.152),
    "Man Kam To": ("man-kam-to", 22.537, 114.131),
    "Shenzhen Bay": ("shenzhen-bay", 22.503, 113.945),
}

# Where "other visitors" come from, by rough shares of recent years' arrivals (judgement).
OTHERS = {"MO": 0.18, "TW": 0.18, "PH": 0.17, "KR": 0.13, "US": 0.13, "TH": 0.11, "JP": 0.10}

RESIDENTS = {"arrival_hk_residents": "residents-in", "departure_hk_residents": "residents-out"}
WEATHER = {
    "tmax_c": "temperature_max",
    "tmin_c": "temperature_min",
    "rain_mm": "precipitation",
}


def panel(data: Path) -> tuple[Mapping[str, Any], Mapping[str, pd.DataFrame]]:
    """The territory and its tables, from the two files of the data set."""
    traffic = pd.read_csv(data / "daily_passenger_traffic.csv.gz")
    traffic = traffic[traffic["control_point"].isin(list(ZONES)) & (traffic["date"] >= START)]
    traffic = traffic.assign(
        zone_id=traffic["control_point"].map({k: v[0] for k, v in ZONES.items()})
    )
    traffic = traffic.sort_values(["zone_id", "date"])
    influx = traffic[["zone_id", "date", "visitors"]].rename(columns={"visitors": "influx"})
    mobility = traffic.melt(["zone_id", "date"], list(RESIDENTS), "site_id", "count")
    mobility["site_id"] = mobility["site_id"].map(RESIDENTS)
    station = pd.read_csv(data / "weather_hko_daily.csv.gz").rename(columns=WEATHER)
    station = station.loc[station["date"] >= START, ["date", *WEATHER.values()]]
    weather = influx[["zone_id"]].drop_duplicates().merge(station, how="cross")
    tables = {"influx": influx, "mobility": mobility, "weather": weather}
    return territory(mainland_share(traffic)), tables


def mainland_share(traffic: pd.DataFrame) -> Mapping[str, float]:
    """Share of mainland visitors by zone, over the first year: before any day that is scored."""
    first = traffic[traffic["date"] < "2024-03-01"].groupby("zone_id")
    share = first["arrival_mainland_visitors"].sum() / first["visitors"].sum()
    return {str(zone): float(value) for zone, value in share.items()}


def territory(mainland: Mapping[str, float]) -> Mapping[str, Any]:
    """Content of territory.toml."""
    zones = []
    for name, (zone, latitude, longitude) in ZONES.items():
        share = {"CN": mainland[zone]}
        share |= {country: (1 - mainland[zone]) * part for country, part in OTHERS.items()}
        zones.append(
            {
                "id": zone,
                "name": name,
                "population": 1,  # nobody lives at a border gate, and influx per head means nothing
                "latitude": latitude,
                "longitude": longitude,
                "origin_markets": [
                    {"country": country, "share": round(part, 4)} for country, part in share.items()
                ],
            }
        )
    return {
        "id": "hk-visitors",
        "name": "Hong Kong, visitors by control point",
        "timezone": "Asia/Hong_Kong",
        "country": "HK",
        "attribution": "Immigration Department and Hong Kong Observatory, through DATA.GOV.HK",
        "licence": "DATA.GOV.HK terms and conditions of use",
        # The figures of a day are out the next morning; one table holds visitors and residents.
        "sources": {
            "influx": {"publication_delay_hours": 8.0},
            "mobility": {"publication_delay_hours": 8.0},
            "weather": {"publication_delay_hours": 8.0},
        },
        "training": {"start": START, "refit_days": 28, "perfect_weather": False},
        "zones": zones,
    }


if __name__ == "__main__":
    main("hk_visitors", panel, __doc__)
