"""The calendar as the zones of a territory live it: one line of days per zone.

Public holidays are those of the zone's home market (``forecast/feasts.py``); school holidays
(``forecast/school.py``) are those of home and of the markets its visitors come from, weighted by
their shares. Every function answers for ``days`` civil days from ``first_day`` (days since
1970-01-01) and depends on its arguments alone; no column depends on the year.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from forecast.feasts import Floats, Ints, almanac, distances, frozen
from forecast.school import school
from forecast.territory import Territory

__all__ = ["COLUMNS", "almanac", "calendar_lines", "clock_change", "daylight_hours", "market_lines"]

COLUMNS = (
    "weekday",
    "year_fraction",
    "season_sin_1",
    "season_cos_1",
    "season_sin_2",
    "season_cos_2",
    "month",
    "daylight",
    "clock_change",
    "holiday",
    "eve",
    "after",
    "bridge",
    "run_length",
    "run_position",
    "run_to",
    "feast",
    "feast_offset",
    "to_holiday",
    "since_holiday",
    "holiday_share",
    "off_share",
    "school_home",
    "school_share",
    "school_day",
    "school_left",
)
"""Columns of :func:`calendar_lines`; ``features/calendar.py`` says what each means."""

_YEAR = 365.2425


def calendar_lines(
    territory: Territory, first_day: int, days: int
) -> tuple[Ints, npt.NDArray[np.float32]]:
    """The calendar of every zone, without repetition.

    Returns the group of each zone, shape (zones,), and :data:`COLUMNS` of each group, shape
    (columns, groups, days). Zones of one group share their markets and, to a tenth of a degree,
    their latitude. School columns are NaN on days for which the calendars of half the visitors
    (``school_home`` and ``school_left``: of home) are unknown.

    Raises
    ------
    ConfigError
        If a market's country, subdivision or school zone is unknown.
    """
    keys = [
        (home, share.tobytes(), round(float(latitude), 1))
        for home, share, latitude in zip(
            territory.home, territory.shares, territory.latitude, strict=True
        )
    ]
    groups = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    values = np.empty((len(COLUMNS), len(groups), days), dtype=np.float32)
    same = _same_everywhere(territory.timezone, first_day, days)
    for key, g in groups.items():
        zone = keys.index(key)
        lines = same | _of_zone(territory, zone, key[2], first_day, days)
        for i, name in enumerate(COLUMNS):
            values[i, g] = lines[name]
    return np.array([groups[key] for key in keys]), values


def market_lines(territory: Territory, first_day: int, days: int) -> npt.NDArray[np.float32]:
    """Days off beyond the weekend and school holidays of each market, shape (2, markets, days).

    Where a school calendar is not known nobody counts as on holiday.
    """
    lines = np.zeros((2, len(territory.markets), days), dtype=np.float32)
    for i, market in enumerate(territory.markets):
        lines[0, i] = almanac(replace(market, school=""), first_day, days).off
        lines[1, i] = np.nan_to_num(school(market, first_day, days).share)
    return lines


@lru_cache(maxsize=64)
def daylight_hours(latitude: float, first_day: int, days: int) -> Floats:
    """Hours between sunrise and sunset at a latitude [h].

    Solar declination by Cooper, *Solar Energy* 12 (1969) 333; the sun's upper limb at the horizon
    with 34' of refraction (altitude −0.833°), as in almanacs. Good to about five minutes.
    """
    day = np.arange(first_day, first_day + days)
    dates = day.astype("datetime64[D]")
    of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64) + 1
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + of_year) / 365)
    phi = np.radians(latitude)
    cosine = (np.sin(np.radians(-0.833)) - np.sin(phi) * np.sin(declination)) / (
        np.cos(phi) * np.cos(declination)
    )
    return frozen(np.degrees(np.arccos(np.clip(cosine, -1, 1))) * 2 / 15)


@lru_cache(maxsize=16)
def clock_change(timezone: str, first_day: int, days: int) -> Floats:
    """Days since the nearest change of the clock (negative before), NaN beyond a week [d]."""
    zone, start = ZoneInfo(timezone), datetime(1970, 1, 1, 12)
    offsets = np.array(
        [
            (start + timedelta(days=first_day + i)).replace(tzinfo=zone).utcoffset()
            for i in range(-9, days + 8)
        ],
        dtype="timedelta64[s]",
    )
    changes = np.flatnonzero(np.diff(offsets)) - 8
    to_next, since = distances(changes, days)
    nearest = np.where(since <= to_next, since, -to_next).astype(np.float64)
    return frozen(np.where(np.abs(nearest) <= 7, nearest, np.nan))


def _same_everywhere(timezone: str, first_day: int, days: int) -> dict[str, Floats]:
    """Columns that no zone changes."""
    day = np.arange(first_day, first_day + days)
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    year = month.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    fraction = (day - year) / _YEAR
    seasons = {
        f"season_{name}_{k}": wave(2 * np.pi * k * fraction)
        for k in (1, 2)
        for name, wave in (("sin", np.sin), ("cos", np.cos))
    }
    return {
        "weekday": ((day + 3) % 7).astype(np.float64),
        "year_fraction": fraction,
        "month": month.astype(np.int64) % 12 + 1.0,
        "clock_change": clock_change(timezone, first_day, days),
        **seasons,
    }


def _of_zone(
    territory: Territory, zone: int, latitude: float, first_day: int, days: int
) -> dict[str, npt.NDArray[np.generic]]:
    """Columns of one zone, by its markets and latitude."""
    home = territory.home[zone]
    feasts, pupils = almanac(home, first_day, days), school(home, first_day, days)
    # Runs are those of whoever fills the zone: of its visitors where most come from one market.
    runs = almanac(territory.leading(zone), first_day, days)
    public, off, free, known, break_day = np.zeros((5, days))
    for market, share in zip(territory.markets, territory.shares[zone], strict=True):
        if share <= 0:
            continue
        # A market lives on the public holidays of its country, whatever its school zone.
        there = almanac(replace(market, school=""), first_day, days)
        public += share * there.holiday
        off += share * there.off
        theirs = school(market, first_day, days)
        told = np.isfinite(theirs.share)
        known += share * told
        free += share * np.where(told, theirs.share, 0)
        break_day += share * np.where(told & (theirs.since_start >= 0), theirs.since_start + 1, 0)
    total = territory.shares[zone].sum()
    enough = known >= max(0.5 * total, 1e-9)
    weight = np.where(enough, known, np.nan)
    return {
        "daylight": daylight_hours(latitude, first_day, days),
        "holiday": feasts.holiday,
        "eve": feasts.eve,
        "after": feasts.day_after,
        "bridge": feasts.bridge,
        "run_length": runs.run_length,
        "run_position": runs.run_position,
        "run_to": runs.days_to_run,
        "feast": runs.run_feast,
        "feast_offset": runs.feast_offset,
        "to_holiday": runs.to_holiday,
        "since_holiday": runs.since_holiday,
        "holiday_share": public / total if total > 0 else np.full(days, np.nan),
        "off_share": off / total if total > 0 else np.full(days, np.nan),
        "school_home": pupils.share,
        "school_share": free / weight,
        "school_day": break_day / weight,
        "school_left": pupils.until_end,
    }
