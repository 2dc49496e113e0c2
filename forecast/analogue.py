"""Days to compare a day with: which are out of the ordinary, and its like of the year before."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from forecast.almanac import almanac
from forecast.territory import Market, Territory

YEAR = 364
"""Days to the same weekday of the year before."""


def run_days(territory: Territory, first_day: int, days: int) -> npt.NDArray[np.bool_]:
    """Whether each day is in a holiday run of the zone's home or of its leading market.

    Shape (zones, days), from ``first_day`` (days since 1970-01-01).
    """
    return np.array(
        [
            np.any(
                [almanac(m, first_day, days).run_length > 0 for m in _calendars(territory, z)], 0
            )
            for z in range(len(territory.zone_ids))
        ]
    )


def analogue_days(territory: Territory, first_day: int, days: int) -> npt.NDArray[np.int32]:
    """The day of an earlier year each day is likened to, shape (zones, days), days since 1970.

    Near a holiday run it is the day as far from the same feast the year before; elsewhere the same
    weekday 364 days before.
    """
    return np.array(
        [
            _analogues(_calendars(territory, z), first_day, days)
            for z in range(len(territory.zone_ids))
        ],
        dtype=np.int32,
    )


def _calendars(territory: Territory, zone: int) -> tuple[Market, ...]:
    return tuple(dict.fromkeys([territory.leading(zone), territory.home[zone]]))


@lru_cache(maxsize=64)
def _analogues(markets: tuple[Market, ...], first_day: int, days: int) -> npt.NDArray[np.int64]:
    day = np.arange(first_day, first_day + days, dtype=np.int64)
    answer = day - YEAR
    start, span = first_day - 430, days + 430
    # The leading market last, so that its feasts win where two calendars claim a day.
    for market in reversed(markets):
        facts = almanac(market, start, span)
        where: dict[tuple[int, int], int] = {}
        for i in np.flatnonzero(facts.run_feast > 0):
            offset = int(facts.feast_offset[i])
            key = (int(facts.run_feast[i]), offset)
            before = where.get(key)
            where[key] = int(i)
            if before is not None and i >= 430 and 300 <= i - before <= 430:
                answer[i - 430] = start + before
    answer.setflags(write=False)
    return answer
