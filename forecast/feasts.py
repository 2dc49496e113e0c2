"""Public holidays of a market, and the bridges and long weekends they make.

Every function answers for ``days`` consecutive civil days from ``first_day`` (days since
1970-01-01) with arrays of shape (days,), and depends on its arguments alone. Public holidays come
from the `holidays` package (MIT), for every country it knows. Arrays are shared between callers
and cannot be written to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from zlib import crc32

import holidays
import numpy as np
import numpy.typing as npt

from forecast.errors import ConfigError
from forecast.territory import Market

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
EPOCH = date(1970, 1, 1)
HORIZON = 30
"""Distances in days are capped at this."""
NEAR = 10
"""A day is near a run of free days when its dominant feast is at most so many days away."""

# The code of a feast is its place here, which must not change; the earlier dominates in a run.
FEASTS = (
    "(none)",
    "Ascension Day",
    "Pentecost Monday",
    "Easter Monday",
    "Christmas Day",
    "New Year's Day",
    "Assumption Day",
    "National Day",
    "All Saints' Day",
    "Armistice Day",
    "Victory Day",
    "Labor Day",
    "Good Friday",
    "Chinese New Year",
    "Spring Bank Holiday",
    "Mid-Autumn Festival",
    "Dragon Boat Festival",
    "Tomb-Sweeping Day",
    "Double Ninth Festival",
    "(other)",
)
_ALIASES = {
    "Easter Sunday": "Easter Monday",
    "Pentecost": "Pentecost Monday",
    "Whit Monday": "Pentecost Monday",
    "Boxing Day": "Christmas Day",
    "Second Day of Christmas": "Christmas Day",
    "Saint Stephen's Day": "Christmas Day",
    "German Unity Day": "National Day",
    "Independence Day": "National Day",
    "Labour Day": "Labor Day",
    "May Day": "Labor Day",
    "Assumption Of Mary Day": "Assumption Day",
    "The Day following Mid-Autumn Festival": "Mid-Autumn Festival",
}
_MARGIN = 64  # days around the span, so that no distance depends on where it starts


@dataclass(frozen=True)
class Almanac:
    """The public holidays of one market, and the free time they make.

    ``holiday``, ``eve``, ``day_after`` and ``bridge`` are booleans; ``off`` is 1 on a free day
    outside the usual weekend and −1 on a day of it that is worked to make up for another;
    ``feast`` is the code of the day's feast in :data:`FEASTS`, ``name`` the CRC-32 of what the day
    is called in English, by which feasts without a code are told apart (0 if none). A run is three
    or more consecutive free days (weekend, holiday or bridge) that contain a holiday:
    ``run_length`` and ``run_position`` (from 1) are 0 outside one; ``days_to_run`` counts the days
    until the next begins (0 inside). ``run_feast`` is the
    code of the dominant feast of the nearest run and ``feast_offset`` the days since that feast
    (negative before), while it is within :data:`NEAR` days; otherwise 0 and NaN. ``to_holiday``
    and ``since_holiday`` count the days to the next and from the last holiday (0 on one). Counts
    are capped at :data:`HORIZON`.
    """

    holiday: Bools
    off: Ints
    feast: Ints
    name: Ints
    eve: Bools
    day_after: Bools
    bridge: Bools
    free: Bools
    run_length: Ints
    run_position: Ints
    days_to_run: Ints
    run_feast: Ints
    feast_offset: Floats
    to_holiday: Ints
    since_holiday: Ints


def public_holidays(market: Market, first_day: int, days: int) -> Bools:
    """Whether each day is a public holiday of the market.

    Raises
    ------
    ConfigError
        If the `holidays` package does not know the country or its subdivision.
    """
    return almanac(market, first_day, days).holiday


@lru_cache(maxsize=64)
def almanac(market: Market, first_day: int, days: int) -> Almanac:
    """Everything about the public holidays of a market; raises as :func:`public_holidays`."""
    start, n = first_day - _MARGIN, days + 2 * _MARGIN
    feast, name, usual, worked = _feasts(market.country, market.subdivision, start, n)
    weekend = usual & ~worked
    holiday = feast > 0
    before, after = np.roll(holiday | weekend, 1), np.roll(holiday | weekend, -1)
    touches = (np.roll(holiday, 1) & np.roll(weekend, -1)) | (
        np.roll(weekend, 1) & np.roll(holiday, -1)
    )
    bridge = ~holiday & ~weekend & before & after & touches
    free = holiday | weekend | bridge
    length, position, to_run = (np.zeros(n, dtype=np.int64) for _ in range(3))
    to_run += HORIZON
    run_feast, offset = np.zeros(n, dtype=np.int64), np.full(n, np.nan)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], free, [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin < 3 or not holiday[begin:end].any():
            continue
        length[begin:end] = end - begin
        position[begin:end] = np.arange(1, end - begin + 1)
        ahead = slice(max(begin - HORIZON, 0), begin)
        to_run[ahead] = np.minimum(to_run[ahead], begin - np.arange(ahead.start, begin))
        to_run[begin:end] = 0
        codes = np.where(holiday[begin:end], feast[begin:end], len(FEASTS))
        anchor = int(begin + np.argmin(codes))
        near = np.arange(max(anchor - NEAR, 0), min(anchor + NEAR + 1, n))
        nearer = ~(np.abs(offset[near]) <= np.abs(near - anchor))
        offset[near[nearer]] = near[nearer] - anchor
        run_feast[near[nearer]] = feast[anchor]
    to_next, since = distances(np.flatnonzero(holiday), n)
    columns = {
        "holiday": holiday,
        "off": free.astype(np.int64) - usual,
        "feast": feast,
        "name": name,
        "eve": np.roll(holiday, -1) & ~holiday,
        "day_after": np.roll(holiday, 1) & ~holiday,
        "bridge": bridge,
        "free": free,
        "run_length": length,
        "run_position": position,
        "days_to_run": to_run,
        "run_feast": run_feast,
        "feast_offset": offset,
        "to_holiday": np.minimum(to_next, HORIZON),
        "since_holiday": np.minimum(since, HORIZON),
    }
    crop = slice(_MARGIN, _MARGIN + days)
    return Almanac(**{name: frozen(column[crop].copy()) for name, column in columns.items()})


AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])


def frozen(array: AnyArray) -> AnyArray:
    """The same array, closed to writing, because it is shared by a cache."""
    array.setflags(write=False)
    return array


def distances(marks: Ints, days: int) -> tuple[Ints, Ints]:
    """Days to the next and since the last of the sorted ``marks``, for days 0 to ``days``."""
    far, day = np.int64(10_000), np.arange(days)
    padded = np.concatenate([[-far], marks, [days + far]])
    following = np.searchsorted(padded, day)
    return padded[following] - day, day - padded[np.searchsorted(padded, day, side="right") - 1]


def _feasts(
    country: str, subdivision: str, start: int, days: int
) -> tuple[Ints, Ints, Bools, Bools]:
    """Code and name of each day's feast (0 if none), whether it is of the weekend, if worked."""
    years = range((EPOCH + timedelta(start)).year, (EPOCH + timedelta(start + days)).year + 1)
    try:
        known = holidays.country_holidays(
            country, subdiv=subdivision or None, years=years, language="en_US"
        )
    except NotImplementedError as error:
        raise ConfigError(
            f"no public holidays for country {country!r}, subdivision {subdivision!r}: {error}; "
            "expected codes of the `holidays` package, like 'FR', or 'DE' with 'NW' "
            "(school zones go under `school`)"
        ) from error
    feast, called = np.zeros((2, days), dtype=np.int64)
    for day, names in known.items():
        i = (day - EPOCH).days - start
        if 0 <= i < days:
            feast[i] = min(_code(name) for name in names.split("; "))
            called[i] = crc32(names.encode())
    # Where only Sunday is the legal weekend, people still travel on Saturday.
    weekend = set(known.weekend) | ({5} if 6 in known.weekend else set())
    weekday = (np.arange(start, start + days) + 3) % 7
    made_up = [(day - EPOCH).days - start for day in known.weekend_workdays]
    return feast, called, np.isin(weekday, list(weekend)), np.isin(np.arange(days), made_up)


def _code(name: str) -> int:
    """Code of a feast from its English name."""
    plain = name.split(" (")[0]
    plain = _ALIASES.get(plain, plain)
    # A run is anchored on the feast itself, whether or not its eve is a day off that year.
    if ("Chinese New Year" in plain or "Lunar New Year" in plain) and "Eve" not in plain:
        plain = "Chinese New Year"
    return FEASTS.index(plain) if plain in FEASTS[1:-1] else len(FEASTS) - 1
