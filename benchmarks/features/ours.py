"""The engine of the product: `Evidence` over the observations table, and `build`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.features.world import FIRST_DAY, HORIZONS, Table
from forecast.almanac import COLUMNS, calendar_lines
from forecast.analogue import analogue_days, run_days
from forecast.config import RunConfig
from forecast.features import Evidence, FeatureMatrix, Source, build, discover
from forecast.features.weather import Weather
from forecast.grid import day_date, make_grid
from forecast.territory import Territory

VARIABLES = {
    "influx": "influx",
    "mobility": "count",
    "weather": "temperature_max",
    "weather_forecast": "temperature_max",
    "events": "attendance",
}


def territory(zones: int) -> Territory:
    """Zones from the Mediterranean to the Channel, with the school zones and visitors of France."""
    where = np.linspace(42.5, 51.0, zones)
    return RunConfig.model_validate(
        {
            "id": "benchmark",
            "name": "Random zones",
            "country": "FR",
            "school": "Zone B",
            "zones": [
                {
                    "id": f"{100_000_000 + i}",
                    "name": f"{i}",
                    "population": 3000 + 7 * i,
                    "latitude": round(float(latitude), 3),
                    "longitude": 2.0,
                    "school": f"Zone {'ABC'[i % 3]}",
                }
                for i, latitude in enumerate(where)
            ],
            "origin_markets": [
                {"country": "FR", "school": "Zone C", "share": 0.4},
                {"country": "FR", "school": "Zone A", "share": 0.3},
                {"country": "GB", "subdivision": "ENG", "share": 0.2},
                {"country": "BE", "school": "French", "share": 0.1},
            ],
        }
    ).territory()


def sources() -> list[Source]:
    """The columns: calendar, events, history, mobility, and the weather of one variable."""
    chosen = ("calendar", "events", "history", "mobility")
    found: list[Source] = [source for source in discover() if source.name in chosen]
    return [*found, Weather({"temperature_max": "°C"})]


def facts(zones: int, days: int) -> dict[str, Table]:
    """What the peers are given ready-made: the calendar, and the days to compare a day with."""
    place = territory(zones)
    first, span = FIRST_DAY - 500, days + 600
    group, lines = calendar_lines(place, first, span)
    kept = [COLUMNS.index(f.name) for f in sources()[0].features[:-2]]
    special, analogue = run_days(place, first, span), analogue_days(place, first, span)
    both, of_zone = np.unique(np.hstack([special, analogue]), axis=0, return_inverse=True)
    return {
        "calendar": {"lines": lines[kept], "names": np.array([COLUMNS[i] for i in kept])},
        "likeness": {"special": both[:, :span] > 0, "analogue": both[:, span:]},
        "zones": {
            "calendar": group.astype(np.int16),
            "likeness": of_zone.ravel().astype(np.int16),
            "population": place.population,
        },
        "span": {"first": np.array([first])},
    }


def tables(
    world: dict[str, Table], origins: np.ndarray
) -> tuple[pd.DataFrame, Territory, pd.DatetimeIndex]:
    """The observations table as the lake gives it, the territory, and the origins."""
    zones = len(world["zones"]["population"])
    place = territory(zones)
    tables = sorted(VARIABLES)
    sizes = [len(world[name]["value"]) for name in tables]
    column = {
        name: np.concatenate([world[table][name] for table in tables])
        for name in ("zone", "site", "day", "at", "value")
    }
    source = np.repeat(np.arange(len(tables), dtype=np.int8), sizes)
    names = sorted(set(VARIABLES.values()))
    code = np.array([names.index(VARIABLES[table]) for table in tables], dtype=np.int8)
    sites = ["", *(f"{s:03d}" for s in range(1, 1000))]
    observations = pd.DataFrame(
        {
            "source": pd.Categorical.from_codes(source, tables),
            "zone_id": pd.Categorical.from_codes(column["zone"], list(place.zone_ids)),
            "site_id": pd.Categorical.from_codes(column["site"], sites),
            "variable": pd.Categorical.from_codes(code[source], names),
            "date": day_date(column["day"]),
            "available_at": pd.DatetimeIndex(column["at"].astype("datetime64[us]"), tz="UTC"),
            "value": column["value"],
            "provider": pd.Categorical.from_codes(np.zeros(len(source), dtype=np.int8), ["random"]),
        }
    )
    instants = pd.DatetimeIndex(origins.astype("datetime64[us]"), tz="UTC")
    return observations, place, instants


def prepare(world: dict[str, Table], origins: np.ndarray) -> Callable[[], FeatureMatrix]:
    """Make the tables; what is timed is the call of the answer."""
    observations, place, instants = tables(world, origins)

    def answer() -> FeatureMatrix:
        grid = make_grid(instants, place.zone_ids, range(HORIZONS), place.timezone)
        return build(grid, Evidence(observations, place), sources())

    return answer
