"""School holidays of the markets visitors come from, as the share of pupils who are free.

Where the `holidays` package has tables they are used, within the years they cover; outside of them
the answer is NaN, never a silent zero. A market without a ``school`` zone is the mean over the
zones of its country, weighted by population.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import numpy as np

from forecast.errors import ConfigError
from forecast.feasts import EPOCH, FEASTS, Bools, Floats, almanac, frozen
from forecast.territory import Market

# First and last day covered, and the weight of each zone: population in millions, rounded
# (INSEE 2021, Statbel 2023, CBS 2023, Destatis 2022). French breaks are decreed to summer 2028 and
# follow the package's rule afterwards.
_Zones = dict[str, float]
_TABLES: dict[str, tuple[date, date, _Zones]] = {
    "FR": (date(2017, 9, 4), date(2029, 12, 31), {"Zone A": 16.8, "Zone B": 30.2, "Zone C": 18.4}),
    "BE": (date(2015, 1, 1), date(2029, 12, 31), {"Flemish": 6.8, "French": 4.8, "German": 0.1}),
    "NL": (date(2014, 1, 1), date(2030, 12, 31), {"Noord": 6.3, "Midden": 5.7, "Zuid": 5.7}),
    "DE": (
        date(1999, 1, 1),
        date(2029, 9, 30),
        {
            "BW": 11.3,
            "BY": 13.4,
            "BE": 3.8,
            "BB": 2.6,
            "HB": 0.7,
            "HH": 1.9,
            "HE": 6.4,
            "MV": 1.6,
            "NI": 8.1,
            "NW": 18.1,
            "RP": 4.2,
            "SL": 1.0,
            "SN": 4.1,
            "ST": 2.2,
            "SH": 3.0,
            "TH": 2.1,
        },
    ),
}
_MARGIN = 128  # days around the span: a break is shorter


@dataclass(frozen=True)
class School:
    """School holidays of one market, arrays of shape (days,); NaN where nothing is known.

    ``share`` is the share of pupils on holiday (weekends within a break included); ``since_start``
    counts the days since the break began and ``until_end`` those until it ends, both 0 on its
    first and last day, for breaks in which at least half the pupils are free; −1 outside one.
    """

    share: Floats
    since_start: Floats
    until_end: Floats


def school_holidays(market: Market, first_day: int, days: int) -> Floats:
    """Share of the market's pupils on holiday on each day (0 to 1); NaN where nothing is known.

    France, Belgium, the Netherlands and Germany have tables; Great Britain (England) is
    approximated by rule, see :func:`english_breaks`; of other countries nothing is known.

    Raises
    ------
    ConfigError
        If ``market.school`` is not a school zone of the country.
    """
    return school(market, first_day, days).share


@lru_cache(maxsize=64)
def school(market: Market, first_day: int, days: int) -> School:
    """School breaks of a market; raises as :func:`school_holidays`."""
    start, n = first_day - _MARGIN, days + 2 * _MARGIN
    if market.country == "GB":
        share = english_breaks(start, n).astype(np.float64)
    elif market.country in _TABLES:
        share = _from_tables(market, start, n)
    else:
        share = np.full(n, np.nan)
    since, until = np.full(n, -1.0), np.full(n, -1.0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], share >= 0.5, [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        since[begin:end] = np.arange(end - begin)
        until[begin:end] = np.arange(end - begin)[::-1]
    unknown = np.isnan(share)
    since[unknown] = until[unknown] = np.nan
    crop = slice(_MARGIN, _MARGIN + days)
    return School(*(frozen(column[crop].copy()) for column in (share, since, until)))


def english_breaks(first_day: int, days: int) -> Bools:
    """Breaks of England's state schools by rule: an APPROXIMATION, no table is published.

    Local authorities set their own dates, most within a few days of these: half terms in the week
    of the Monday of 12 to 18 February, of the Spring Bank Holiday (last Monday of May) and of the
    last Monday of October; a fortnight at Easter (around it when it is early, before it when it is
    late); summer from 22 July to 1 September; sixteen days from the Saturday of 17 to 23 December.
    Weekends at both ends of a half term count.
    """
    free = np.zeros(days, dtype=np.bool_)
    first, last = EPOCH + timedelta(first_day), EPOCH + timedelta(first_day + days)
    breaks: list[tuple[date, int]] = []
    for year in range(first.year - 1, last.year + 1):
        half_terms = (date(year, 2, 12), date(year, 5, 25), date(year, 10, 25))
        breaks.extend((_weekday_from(day, 0) - timedelta(2), 9) for day in half_terms)
        breaks.append((date(year, 7, 22), 42))
        breaks.append((_weekday_from(date(year, 12, 17), 5), 16))
    feasts = almanac(Market("GB", "ENG"), first_day - 32, days + 64).feast
    for good_friday in np.flatnonzero(feasts == FEASTS.index("Good Friday")):
        easter = first + timedelta(int(good_friday) - 30)
        late = (easter.month, easter.day) >= (4, 10)
        breaks.append((easter - timedelta(15 if late else 8), 17 if late else 16))
    for begin, length in breaks:
        i = (begin - first).days
        free[max(i, 0) : max(i + length, 0)] = True
    return free


def _weekday_from(earliest: date, weekday: int) -> date:
    """First such weekday (Monday is 0) on or after a day."""
    return earliest + timedelta((weekday - earliest.weekday()) % 7)


def _from_tables(market: Market, start: int, days: int) -> Floats:
    first, last, zones = _TABLES[market.country]
    if market.school and market.school not in zones:
        raise ConfigError(
            f"no school zone {market.school!r} in country {market.country!r}; expected one of "
            f"{', '.join(zones)}, or empty for their mean"
        )
    chosen = {market.school: 1.0} if market.school else zones
    share = np.zeros(days)
    for zone, weight in chosen.items():
        share += weight * _break_days(market.country, zone, start, days)
    share /= sum(chosen.values())
    day = np.arange(start, start + days)
    share[(day < (first - EPOCH).days) | (day > (last - EPOCH).days)] = np.nan
    return share


@lru_cache(maxsize=64)
def _break_days(country: str, zone: str, start: int, days: int) -> Bools:
    years = range((EPOCH + timedelta(start)).year, (EPOCH + timedelta(start + days)).year + 1)
    known = holidays.country_holidays(country, subdiv=zone, categories=("school",), years=years)
    free = np.zeros(days, dtype=np.bool_)
    at = np.array([(day - EPOCH).days - start for day in known], dtype=np.int64)
    free[at[(at >= 0) & (at < days)]] = True
    return frozen(free)
