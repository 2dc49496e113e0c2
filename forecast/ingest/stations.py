"""From stations to zones: what was measured in a zone, or near it where nobody measures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.grid import day_date
from forecast.ingest.climatology import Measured
from forecast.ingest.hours import Floats
from forecast.ingest.places import Places

EARTH_KM = 6371.0


def zone_values(
    files: Sequence[Measured], zone_ids: Sequence[str], places: Places, reach_km: float
) -> tuple[pd.DataFrame, str]:
    """The value of each zone and day, for every variable that the files hold.

    On each day it is the median of the stations that stand in the zone and measured; where none
    did, the value of the nearest that did, if it stands within ``reach_km`` of the zone's centre;
    else it is missing.

    Returns
    -------
    tuple
        Rows with ``zone_id``, ``date`` and the variables, and one line about the zones served from
        outside and those that are not served.
    """
    rows = [_rows(measured) for measured in files if len(measured.day)]
    if not rows:
        return pd.DataFrame({"zone_id": [], "date": pd.DatetimeIndex([])}), ""
    table = pd.concat(rows, ignore_index=True)
    variables = list(dict.fromkeys(name for measured in files for name in measured.values))
    table = table.reindex(columns=[*_KEYS, *variables])
    found = table.drop_duplicates("station", keep="last").set_index("station").sort_index()
    zone = places.zones_of_points(found["latitude"], found["longitude"])
    days = np.arange(table["day"].min(), table["day"].max() + 1)
    centres = np.array([places.centre(zone_id) for zone_id in zone_ids])
    distance = _kilometres(centres, found[["latitude", "longitude"]].to_numpy(dtype=float))

    columns: dict[str, npt.NDArray[np.float64]] = {}
    remarks = []
    for name in variables:
        there = table.dropna(subset=name)
        grid = np.full((len(days), len(found)), np.nan)
        column = found.index.get_indexer(pd.Index(there["station"]))
        grid[there["day"].to_numpy() - days[0], column] = there[name].to_numpy()
        values = np.full((len(zone_ids), len(days)), np.nan)
        far, none = [], []
        for i, zone_id in enumerate(zone_ids):
            values[i] = _median(grid[:, zone == zone_id])
            gaps = np.isnan(values[i])
            nearest, kilometres = _nearest(grid[gaps], distance[i], reach_km)
            values[i, gaps] = nearest
            if np.isfinite(kilometres).any():
                far.append(f"{zone_id} ({np.nanmax(kilometres):.0f} km)")
            elif np.isnan(values[i]).all():
                none.append(zone_id)
        if far:
            remarks.append(f"{name} of zones {', '.join(far)} partly from stations outside")
        if none:
            remarks.append(f"no {name} within {reach_km:g} km of zones {', '.join(none)}")
        columns[name] = values.ravel()
    answer = pd.DataFrame(
        {
            "zone_id": np.repeat(np.array(zone_ids, dtype=object), len(days)),
            "date": day_date(np.tile(days, len(zone_ids))),
            **columns,
        }
    )
    return answer.dropna(subset=variables, how="all"), "; ".join(remarks)


_KEYS = ("station", "day", "latitude", "longitude")


def _rows(measured: Measured) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "station": pd.Series(measured.station, dtype=object),
            "day": measured.day,
            "latitude": measured.latitude,
            "longitude": measured.longitude,
            **measured.values,
        }
    )


def _median(values: Floats) -> Floats:
    """Median of each row, NaN where it is empty; shape (rows, stations) to (rows,)."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)
    middle = np.full(len(values), np.nan)
    there = np.flatnonzero(count)
    low, high = (count[there] - 1) // 2, count[there] // 2
    middle[there] = (ordered[there, low] + ordered[there, high]) / 2
    return np.round(middle, 3)


def _nearest(values: Floats, distance: Floats, reach_km: float) -> tuple[Floats, Floats]:
    """For each row the value of the nearest station that has one, and how far it is [km]."""
    near = np.flatnonzero(distance <= reach_km)
    near = near[np.argsort(distance[near], kind="stable")]
    if not len(near):
        return np.full(len(values), np.nan), np.full(len(values), np.nan)
    there = np.isfinite(values[:, near])
    first = near[np.argmax(there, axis=1)]
    some = there.any(axis=1)
    value = np.where(some, values[np.arange(len(values)), first], np.nan)
    return value, np.where(some, distance[first], np.nan)


def _kilometres(one: Floats, other: Floats) -> Floats:
    """Great-circle distances between points (latitude, longitude), shape (one, other)."""
    phi, psi = np.radians(one)[:, None], np.radians(other)[None]
    haversine = (
        np.sin((phi[..., 0] - psi[..., 0]) / 2) ** 2
        + np.cos(phi[..., 0]) * np.cos(psi[..., 0]) * np.sin((phi[..., 1] - psi[..., 1]) / 2) ** 2
    )
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(haversine)))
