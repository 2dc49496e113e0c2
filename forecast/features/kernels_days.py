"""Kernels of weather, events and the calendar: values of days around the target or the origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.features.kernels import NAN, STALE, Array, at_day, compiled, mean, replay
from forecast.features.updates import DAY


@compiled
def targets(
    low: int,
    high: int,
    asks: Any,
    rows: Any,
    offsets: Array,
    absent: float,
    size: Array,
    out: Array,
    age: Array,
) -> None:
    """Latest known value of the target day plus each offset, over the zone's ``size``.

    ``absent`` stands where nothing is known. ``age``, shape (questions,) or empty, gets the days
    from the instant at which the value of the target day became readable to the origin.
    """
    zone_asks, ask_origin, _ask_day, first_row, target_day = asks
    zone_series, start, date, at, value, first_day, days = rows
    known = np.empty(days, dtype=np.float32)
    read_at = np.empty(days, dtype=np.int64)
    for z in range(low, high):
        p = end = 0
        if zone_series[z, 0] < zone_series[z, 1]:
            p, end = start[zone_series[z, 0]], start[zone_series[z, 0] + 1]
        known[:] = NAN
        for a in range(zone_asks[z], zone_asks[z + 1]):
            while p < end and at[p] <= ask_origin[a]:
                d = date[p] // DAY - first_day
                known[d], read_at[d] = value[p], at[p]
                p += 1
            for r in range(first_row[a], first_row[a + 1]):
                t = target_day[r] - first_day
                for i in range(len(offsets)):
                    v = at_day(known, t + offsets[i])
                    out[i, r] = absent if np.isnan(v) else v / size[z]
                if len(age) and not np.isnan(at_day(known, t)):
                    age[r] = (ask_origin[a] - read_at[t]) / DAY


@compiled
def recent(low: int, high: int, asks: Any, rows: Any, windows: Array, out: Array) -> None:
    """Mean over the last ``windows`` days up to the newest known one, unless that is stale."""
    zone_asks, ask_origin, ask_day, first_row, _target_day = asks
    zone_series, start, _date, _at, _value, first_day, days = rows
    known = np.empty(days, dtype=np.float32)
    for z in range(low, high):
        if zone_series[z, 0] == zone_series[z, 1]:
            continue
        known[:] = NAN
        p, end, newest = start[zone_series[z, 0]], start[zone_series[z, 0] + 1], -1
        for a in range(zone_asks[z], zone_asks[z + 1]):
            p, newest = replay(known, newest, p, end, ask_origin[a], rows)
            if newest < 0 or ask_day[a] - first_day - newest > STALE:
                continue
            for i in range(len(windows)):
                average = mean(known, newest - windows[i] + 1, newest)
                out[i, first_row[a] : first_row[a + 1]] = average


@compiled
def latest(low: int, high: int, asks: Any, rows: Any, out: Array) -> None:
    """Write what is known of the day of each ask and of the days before it, shape (asks, days)."""
    zone_asks, ask_origin, ask_day, _first_row, _target_day = asks
    zone_series, start, _date, _at, _value, first_day, days = rows
    known = np.empty(days, dtype=np.float32)
    for z in range(low, high):
        if zone_series[z, 0] == zone_series[z, 1]:
            continue
        known[:] = NAN
        p, end, newest = start[zone_series[z, 0]], start[zone_series[z, 0] + 1], -1
        for a in range(zone_asks[z], zone_asks[z + 1]):
            p, newest = replay(known, newest, p, end, ask_origin[a], rows)
            for k in range(out.shape[1]):
                out[a, k] = at_day(known, ask_day[a] - first_day - k)


@compiled
def lines(
    low: int, high: int, asks: Any, values: Array, kept: Array, group: Array, first: int, out: Array
) -> None:
    """The ``kept`` columns of ``values`` (columns, groups, days from ``first``) on the target day.

    Zone ``z`` is of the group ``group[z]``.
    """
    zone_asks, _ask_origin, _ask_day, first_row, target_day = asks
    for z in range(low, high):
        for i in range(len(kept)):
            line = values[kept[i], group[z]]
            for r in range(first_row[zone_asks[z]], first_row[zone_asks[z + 1]]):
                out[i, r] = line[target_day[r] - first]


@compiled
def leads(low: int, high: int, asks: Any, out: Array) -> None:
    """Days from the local day of the origin to the target, and the weekday of the origin."""
    zone_asks, _ask_origin, ask_day, first_row, target_day = asks
    for a in range(zone_asks[low], zone_asks[high]):
        for r in range(first_row[a], first_row[a + 1]):
            out[0, r] = target_day[r] - ask_day[a]
            out[1, r] = (ask_day[a] + 3) % 7
