"""Kernel of ``features/waste.py``: collections spread back over the days they stem from."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.features.kernels import NAN, STALE, Array, compiled, mean, ratio
from forecast.features.updates import DAY

_PRESENCE = 91
_LONGEST = 10
"""Days between rounds above which a collection says nothing of single days [d]."""
_YEAR = 364


@compiled
def _spread(known: Array, newest: int, presence: Array) -> None:
    """Share each collection of one round out over the days since the one before.

    What is collected on a day was thrown away on the days from the collection before to its eve.
    Position ``k`` of ``presence`` is the day ``k + 1`` before ``newest``; NaN where unknown.
    """
    presence[:] = np.nan
    taken = newest
    while taken >= 0 and not known[taken] > 0:
        taken -= 1
    while taken > newest - _PRESENCE:
        before = taken - 1
        while before >= 0 and taken - before <= STALE and not known[before] > 0:
            before -= 1
        if before < 0 or taken - before > STALE:
            break
        if taken - before <= _LONGEST:
            for d in range(before, taken):
                if newest - 1 - d < _PRESENCE:
                    presence[newest - 1 - d] = known[taken] / (taken - before)
        taken = before


@compiled
def _normal(presence: Array, low: int, high: int) -> float:
    """Mean of the finite ``presence[low:high]``, NaN if there is none above nought."""
    total, count = 0.0, 0
    for k in range(low, high):
        if not np.isnan(presence[k]):
            total += presence[k]
            count += 1
    return total / count if total > 0 else np.nan


@compiled
def collections(low: int, high: int, asks: Any, rows: Any, out: Array) -> None:
    """Write the columns of ``features/waste.py``.

    Rounds differ in tonnage and in their days, so each is compared with itself: a ratio is the
    tonnage of all rounds over what is normal for the same rounds on the same days.
    """
    zone_asks, ask_origin, ask_day, first_row, target_day = asks
    zone_series, start, date, at, value, first_day, days = rows
    presence = np.empty(_PRESENCE)
    seen, usual = np.empty(7), np.empty(7)
    for z in range(low, high):
        series, count = zone_series[z, 0], zone_series[z, 1] - zone_series[z, 0]
        if count == 0:
            continue
        known = np.full((count, days), NAN, dtype=np.float32)
        p, newest = start[series : series + count].copy(), -1
        for a in range(zone_asks[z], zone_asks[z + 1]):
            for s in range(count):
                while p[s] < start[series + s + 1] and at[p[s]] <= ask_origin[a]:
                    d = date[p[s]] // DAY - first_day
                    known[s, d] = value[p[s]]
                    newest = max(newest, d)
                    p[s] += 1
            # A day with nought is a day without a round, be it by a revision.
            while newest >= 0 and not (known[:, newest] > 0).any():
                newest -= 1
            if newest < 0:
                continue
            age = ask_day[a] - first_day - newest
            if age > STALE:
                out[4, first_row[a] : first_row[a + 1]] = age
                continue
            seen[:], usual[:] = 0.0, 0.0
            month_seen, month_usual, year_seen, year_usual = 0.0, 0.0, 0.0, 0.0
            for s in range(count):
                _spread(known[s], newest, presence)
                week_normal = _normal(presence, 7, 63)
                month_normal = _normal(presence, 28, 84)
                for k in range(28):
                    if np.isnan(presence[k]):
                        continue
                    if k < 7 and not np.isnan(week_normal):
                        seen[k] += presence[k]
                        usual[k] += week_normal
                    if not np.isnan(month_normal):
                        month_seen += presence[k]
                        month_usual += month_normal
                now = mean(known[s], newest - 13, newest)
                then = mean(known[s], newest - _YEAR - 13, newest - _YEAR)
                if not (np.isnan(now) or np.isnan(then)):
                    year_seen += now
                    year_usual += then
            week = ratio(seen.sum(), usual.sum())
            month = ratio(month_seen, month_usual)
            year = ratio(year_seen, year_usual)
            for r in range(first_row[a], first_row[a + 1]):
                k = (newest - 1 - target_day[r] + first_day) % 7
                out[0, r] = week
                out[1, r] = month
                out[2, r] = ratio(seen[k], usual[k])
                out[3, r] = year
                out[4, r] = age
