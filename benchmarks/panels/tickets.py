"""Weighbridge tickets of a city as a panel of one zone: daily tonnes of waste as ``influx``.

``influx`` is the net weight of a day [t], not a number of visitors. A day on which the site was
closed has no row, and a row of zero tonnes says no more than that: both are left out, since a
closed day is not a day of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

DATA = "waste_austin_ballarat"
"""Folder of the data set."""


def tonnes(path: Path, zone: str, start: str) -> pd.DataFrame:
    """The ``influx`` table of one city, from ``start``, tickets added up by day [t day⁻¹]."""
    tickets = pd.read_csv(path)
    kilograms = tickets.groupby("ticket_date")["net_weight_kg"].sum()
    kilograms = kilograms[(kilograms > 0) & (kilograms.index >= start)]
    return pd.DataFrame(
        {"zone_id": zone, "date": kilograms.index, "influx": (kilograms / 1000).to_numpy()}
    )


def city(
    zone: str,
    name: str,
    start: str,
    *,
    country: str,
    subdivision: str,
    timezone: str,
    position: tuple[float, float],
    population: int,
    publisher: str,
) -> Mapping[str, Any]:
    """Content of territory.toml for one city; ``position`` is latitude and longitude [degrees]."""
    return {
        "id": f"{zone}-waste",
        "name": f"{name}, waste [t]",
        "timezone": timezone,
        "country": country,
        "subdivision": subdivision,
        "attribution": publisher,
        "licence": "as published by the city; measured with, not shipped",
        "sources": {
            "influx": {"publication_delay_hours": 8.0},
            "weather": {"publication_delay_hours": 12.0},
        },
        "training": {"start": start},
        "zones": [
            {
                "id": zone,
                "name": name,
                "population": population,
                "latitude": position[0],
                "longitude": position[1],
            }
        ],
    }
