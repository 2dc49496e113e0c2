"""Random observations of the size of a country, as plain arrays that every engine starts from.

Zones report daily with gaps, delays and about one correction in a hundred rows; forecasts are
issued weekly for seventeen days. Tables come in the order of the lake: by zone and site, then by
the instant from which a row could be read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
Table = dict[str, Array]

FIRST_DAY = 17_902
"""6 January 2019, a Sunday [days since 1970]."""
ORIGIN_HOUR = 6
LEADS = 17
HORIZONS = 15

_HOUR = 3_600_000_000
DAY = 24 * _HOUR


def make_world(zones: int, years: int, seed: int = 76) -> dict[str, Table]:
    """The tables ``influx``, ``mobility``, ``weather``, ``weather_forecast`` and ``events``.

    Each has the columns zone, site, day [days since 1970], at [µs since 1970 UTC] and value.
    """
    rng = np.random.default_rng(seed)
    days = round(365.25 * years)
    day = np.arange(days)
    season = 1 + 0.4 * np.sin(2 * np.pi * day / 365.25)
    week = np.array([1.0, 1.0, 1.0, 1.1, 1.3, 1.6, 1.4])[day % 7]
    size = rng.lognormal(8, 1.5, zones)
    usual = size[:, None] * season * week

    zone, when = (a.ravel() for a in np.indices((zones, days)))
    influx = np.round(usual.ravel() * rng.lognormal(0, 0.2, zones * days))
    delay = (29 + 24 * rng.integers(0, 3, zones * days)) * _HOUR
    tables = {"influx": _table(rng, zone, when, when * DAY + delay, influx)}

    sensors = np.arange(zones) % 2 + 1
    owner = np.repeat(np.arange(zones), sensors)
    which, when = (a.ravel() for a in np.indices((len(owner), days)))
    count = np.round(usual[owner].ravel() * rng.lognormal(-1, 0.15, len(which)))
    site = np.concatenate([np.arange(n) for n in sensors])[which]
    tables["mobility"] = _table(rng, owner[which], when, when * DAY + 32 * _HOUR, count, site)

    zone, when = (a.ravel() for a in np.indices((zones, days)))
    warm = 15 + 10 * (season[when] - 1) + rng.normal(0, 4, len(when))
    tables["weather"] = _table(rng, zone, when, when * DAY + 36 * _HOUR, np.round(warm, 1))

    zone, issue, lead = (a.ravel() for a in np.indices((zones, -(-days // 7), LEADS)))
    issued = 7 * issue * DAY + 3 * _HOUR
    ahead = np.round(15 + rng.normal(0, 6, len(zone)), 1)
    tables["weather_forecast"] = _table(rng, zone, 7 * issue + lead - 1, issued, ahead, gaps=0)

    festivals = 20 * years * zones
    zone = rng.integers(0, zones, festivals)
    first = rng.integers(0, days, festivals)
    told = (first - rng.integers(5, 60, festivals)) * DAY
    length = rng.integers(1, 4, festivals)
    part = np.repeat(np.arange(festivals), length)
    nth = np.arange(len(part)) - np.repeat(np.cumsum(length) - length, length)
    people = np.round(rng.lognormal(7, 1, festivals))
    tables["events"] = _table(
        rng, zone[part], first[part] + nth, told[part], people[part], part % 1000, gaps=0
    )
    return tables


def make_origins(years: int) -> npt.NDArray[np.int64]:
    """Every Sunday morning [µs since 1970 UTC]: 313 in six years."""
    days = FIRST_DAY + np.arange(0, int(365.25 * years), 7, dtype=np.int64)
    return days * DAY + ORIGIN_HOUR * _HOUR


def _table(
    rng: np.random.Generator,
    zone: Array,
    day: Array,
    at: Array,
    value: Array,
    site: Array | None = None,
    gaps: float = 0.005,
) -> Table:
    """Rows less some, with corrections some days or months later, in the order of the lake."""
    site = np.zeros(len(zone), dtype=np.int64) if site is None else site
    kept = np.flatnonzero(rng.random(len(zone)) >= gaps)
    again = kept[rng.random(len(kept)) < 0.01]
    rows = np.concatenate([kept, again])
    # An hour off, so that no correction shares its instant with another issue of its day.
    later = at[again] + rng.integers(1, 60, len(again)) * DAY + _HOUR
    instant = np.concatenate([at[kept], later]) + FIRST_DAY * DAY
    amount = value[rows] * np.where(np.arange(len(rows)) < len(kept), 1.0, 1.1)
    order = np.lexsort((day[rows], instant, site[rows], zone[rows]))
    rows = rows[order]
    return {
        "zone": zone[rows].astype(np.int16),
        "site": site[rows].astype(np.int16),
        "day": (day[rows] + FIRST_DAY).astype(np.int32),
        "at": instant[order],
        # As the matrix holds them, so that no engine rounds where another does not.
        "value": amount[order].astype(np.float32).astype(np.float64),
    }


def save(world: dict[str, Table], path: Path) -> None:
    """Write the tables of a world, or other arrays that engines share, to one file."""
    flat = {f"{table}.{name}": a for table, columns in world.items() for name, a in columns.items()}
    np.savez(path, **flat)


def load(path: Path) -> dict[str, Table]:
    """Read what :func:`save` wrote."""
    world: dict[str, Table] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            table, name = key.split(".")
            world.setdefault(table, {})[name] = arrays[key]
    return world
