"""Kernel of ``features/mobility.py`` and ``features/parking.py``: robust indices of sensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.features.kernels import NAN, STALE, Array, at_day, compiled
from forecast.features.updates import DAY

_WINDOW = 28
_WEEKS = 8
_STUCK, _STUCK_FULL = 3, 14
"""Days running with one and the same value that tell a stuck sensor; for a full car park [d]."""


@compiled
def _is_stuck(known: Array, d: int, days: int) -> bool:
    """Whether the last ``days`` days up to ``d`` all have the same value."""
    same = 1
    while same < days and at_day(known, d - same) == known[d]:
        same += 1
    return same == days


@compiled
def _median(values: Array, n: int) -> float:
    """Median of ``values[:n]``, n > 0, which it sorts: a handful, so by insertion."""
    for i in range(1, n):
        v, j = values[i], i
        while j > 0 and values[j - 1] > v:
            values[j] = values[j - 1]
            j -= 1
        values[j] = v
    high = float(values[n // 2])
    return high if n % 2 else (float(values[n // 2 - 1]) + high) / 2


@compiled
def _site_index(known: Array, d: int, full: float, normal: Array) -> float:
    """Value of a site on day ``d`` over its own normal for that weekday.

    NaN where the sensor says nothing, nought, is stuck or is too new. At or above ``full`` a
    reading hides demand: it counts as at least normal.
    """
    v = at_day(known, d)
    if np.isnan(v) or v == 0 or _is_stuck(known, d, _STUCK_FULL if v >= full else _STUCK):
        return np.nan
    n = 0
    for k in range(1, _WEEKS + 1):
        x = at_day(known, d - 7 * k)
        if not np.isnan(x):
            normal[n] = x
            n += 1
    if n < 3:
        return np.nan
    middle = _median(normal, n)
    if middle <= 0:
        return np.nan
    index = v / middle
    return max(index, 1.0) if v >= full else index


@compiled
def _middle(indices: Array, n: int) -> float:
    """Median of ``indices[:n]``, all positive; of two middle ones the nearer to 1.

    So one bad sensor of two moves nothing.
    """
    if n == 0:
        return np.nan
    _median(indices, n)
    b = float(indices[n // 2])
    if n % 2:
        return b
    a = float(indices[n // 2 - 1])
    # Nearer as a ratio: 1 / a against b where they lie on either side.
    return a if a * b >= 1 else b


@compiled
def _forget(fresh: Array, d: int) -> None:
    """Mark the days whose site indices depend on day ``d`` as to be computed again."""
    for k in range(_STUCK_FULL):
        if d + k < len(fresh):
            fresh[d + k] = False
    for k in range(2, _WEEKS + 1):
        if d + 7 * k < len(fresh):
            fresh[d + 7 * k] = False


@compiled
def _recent_mean(index: Array, newest: int, length: int) -> float:
    """Mean of the indices there are in the last ``length`` days."""
    total, n = 0.0, 0
    for d in range(max(newest - length + 1, 0), newest + 1):
        if not np.isnan(index[d]):
            total += index[d]
            n += 1
    return total / n if n else np.nan


@compiled
def sites(low: int, high: int, asks: Any, rows: Any, full: float, out: Array) -> None:
    """Write the columns of ``base.index_features``, then the share of full days if asked for.

    The indices of a day change only with the rows they are made of, so they are kept from ask to
    ask; a row that becomes readable makes those that depend on it be computed again.
    """
    zone_asks, ask_origin, ask_day, first_row, target_day = asks
    zone_series, start, date, at, value, first_day, days = rows
    normal = np.empty(_WEEKS)
    index, fresh = np.empty(days), np.empty(days, dtype=np.bool_)
    sensors, filled = np.empty(days, dtype=np.int32), np.empty(days, dtype=np.int32)
    for z in range(low, high):
        series, count = zone_series[z, 0], zone_series[z, 1] - zone_series[z, 0]
        if count == 0:
            continue
        known = np.full((count, days), NAN, dtype=np.float32)
        p, indices = start[series : series + count].copy(), np.empty(count)
        newest = -1
        fresh[:] = False
        for a in range(zone_asks[z], zone_asks[z + 1]):
            for s in range(count):
                while p[s] < start[series + s + 1] and at[p[s]] <= ask_origin[a]:
                    d = date[p[s]] // DAY - first_day
                    known[s, d] = value[p[s]]
                    newest = max(newest, d)
                    _forget(fresh, d)
                    p[s] += 1
            if newest < 0:
                continue
            age = ask_day[a] - first_day - newest
            if age > STALE:
                out[7, first_row[a] : first_row[a + 1]] = age
                continue
            live, busy, full_days = 0, 0, 0
            for d in range(newest, max(newest - _WINDOW, -1), -1):
                if not fresh[d]:
                    n, f = 0, 0
                    for s in range(count):
                        i = _site_index(known[s], d, full, normal)
                        if not np.isnan(i):
                            indices[n] = i
                            n += 1
                            f += known[s, d] >= full
                    index[d], sensors[d], filled[d], fresh[d] = _middle(indices, n), n, f, True
                if d > newest - 3:
                    live = max(live, sensors[d])
                if d > newest - 7:
                    busy += sensors[d]
                    full_days += filled[d]
            mean_3 = _recent_mean(index, newest, 3)
            mean_7 = _recent_mean(index, newest, 7)
            mean_28 = _recent_mean(index, newest, _WINDOW)
            full_7 = full_days / busy if busy else np.nan
            for r in range(first_row[a], first_row[a + 1]):
                same = newest - (newest - target_day[r] + first_day) % 7
                out[0, r] = index[newest]
                out[1, r] = mean_3
                out[2, r] = mean_7
                out[3, r] = mean_28
                out[4, r] = at_day(index, same)
                out[5, r] = at_day(index, same - 7)
                out[6, r] = live
                out[7, r] = age
                if out.shape[0] > 8:
                    out[8, r] = full_7
