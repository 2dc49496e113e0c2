"""As-of kernels: the compiled loops that answer questions from what was readable at their origin.

Every kernel walks the asks of a zone in the order of their origins and replays its rows into a
line of days (see ``updates.py``), so that it never sees a row whose ``available_at`` lies after
the origin, and sees the latest revision of each row that does not. Days are positions in that
line. Zones are independent, so :func:`run` spreads them over threads; the loops hold no lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from forecast.features.updates import Updates
from forecast.grid import Grid

Array = npt.NDArray[Any]
_NAN = np.float32(np.nan)
_jit = numba.njit(nogil=True, cache=True, error_model="numpy")


def run(kernel: Callable[..., None], grid: Grid, updates: Updates, *arguments: object) -> None:
    """Call ``kernel(low, high, asks, rows, *arguments)`` over all zones, in threads.

    ``asks`` and ``rows`` are the arrays of ``grid`` and ``updates`` that every kernel needs.
    """
    asks = (grid.zone_asks(), grid.ask_origin, grid.ask_day, grid.first_row, grid.target_day)
    rows = (
        updates.zone_start,
        updates.start,
        updates.day,
        updates.at,
        updates.value,
        updates.first_day,
        updates.days,
    )
    zones = len(grid.zone_ids)
    threads = min(os.cpu_count() or 1, zones) if len(grid) > 20_000 else 1
    bounds = np.linspace(0, zones, 4 * threads + 1).astype(int) if threads > 1 else [0, zones]
    with ThreadPoolExecutor(threads) as pool:
        futures = [
            pool.submit(kernel, low, high, asks, rows, *arguments)
            for low, high in zip(bounds[:-1], bounds[1:], strict=True)
            if high > low
        ]
        for future in futures:
            future.result()


@_jit
def _ratio(value: float, base: float) -> float:
    """``value / base``, NaN where the base says nothing."""
    return value / base if base > 0 else np.nan


@_jit
def _mean(known: Array, low: int, high: int) -> float:
    """Mean of the known days ``low`` to ``high`` inclusive, NaN if none."""
    total, count = 0.0, 0
    for d in range(max(low, 0), min(high + 1, len(known))):
        if not np.isnan(known[d]):
            total += known[d]
            count += 1
    return total / count if count else np.nan


@_jit
def _at(known: Array, day: int) -> float:
    """Value of a day, NaN outside the line."""
    return known[day] if 0 <= day < len(known) else np.nan


@_jit
def _weekday_level(known: Array, special: Array, last: int, clean: int, weeks: int) -> float:
    """Mean of the latest ``clean`` ordinary same-weekday days at or before ``last``.

    Looks back ``weeks`` weeks; with fewer than two ordinary days it takes the special ones too.
    """
    total, count, all_total, all_count = 0.0, 0, 0.0, 0
    for k in range(weeks):
        d = last - 7 * k
        if d < 0 or count == clean:
            break
        if d >= len(known) or np.isnan(known[d]):
            continue
        all_total += known[d]
        all_count += 1
        if not special[d]:
            total += known[d]
            count += 1
    if count >= 2:
        return total / count
    return all_total / all_count if all_count else np.nan


@_jit
def history(
    low: int, high: int, asks: Any, rows: Any, special: Array, analogue: Array, out: Array
) -> None:
    """Columns of ``features/history.py``.

    ``special`` (zones, days) marks days of holiday runs; ``analogue`` (zones, target days − first
    day) is the day of an earlier year to which a day is likened.
    """
    zone_asks, ask_origin, ask_day, first_row, target_day = asks
    zone_start, start, day, at, value, first_day, days = rows
    known = np.empty(days, dtype=np.float32)
    level = np.empty(7)
    for z in range(low, high):
        if zone_start[z] == zone_start[z + 1]:
            continue
        known[:] = _NAN
        p, end, newest = start[zone_start[z]], start[zone_start[z + 1]], -1
        for a in range(zone_asks[z], zone_asks[z + 1]):
            while p < end and at[p] <= ask_origin[a]:
                d = day[p] - first_day
                known[d] = value[p]
                newest = max(newest, d)
                p += 1
            if newest < 0:
                continue
            mean28 = _mean(known, newest - 27, newest)
            overall = _mean(known, newest - 55, newest)
            for w in range(7):
                level[w] = _weekday_level(known, special[z], newest - (newest - w) % 7, 6, 12)
            # Days relative to the level of their weekday, over the last four known weeks.
            short, n_short, long, n_long, square = 0.0, 0, 0.0, 0, 0.0
            latest = np.nan
            for k in range(28):
                r = _ratio(_at(known, newest - k), level[(newest - k) % 7])
                if not np.isnan(r):
                    if k < 7:
                        short += r
                        n_short += 1
                    long += r
                    square += r * r
                    n_long += 1
                    if k == 0:
                        latest = r
            anomaly7 = short / n_short if n_short else np.nan
            spread = np.nan
            if n_long > 1:
                m = long / n_long
                spread = np.sqrt(max(square / n_long - m * m, 0.0))
            year_ago_now = _mean(known, newest - 364 - 27, newest - 364)
            trend = _ratio(mean28, year_ago_now)
            for r in range(first_row[a], first_row[a + 1]):
                t = target_day[r] - first_day
                base = level[t % 7]
                if np.isnan(base) or base < 0.1 * overall:
                    base = 0.1 * overall if not np.isnan(overall) else base
                out[0, r] = base
                out[1, r] = overall
                last = newest - (newest - t) % 7  # latest known day of the target's weekday
                for k in range(4):
                    out[2 + k, r] = _ratio(_at(known, last - 7 * k), base)
                out[6, r] = _ratio(overall, base)
                out[7, r] = latest
                out[8, r] = anomaly7
                out[9, r] = spread
                out[10, r] = trend
                shift = t - last
                for i in range(2):
                    y = t - 364 if i == 0 else analogue[z, t] if t < analogue.shape[1] else -1
                    if y >= 0:
                        then = _weekday_level(known, special[z], y - shift, 6, 12)
                        out[11 + i, r] = _ratio(_at(known, y), then)
                out[13, r] = _ratio(_mean(known, t - 367, t - 361), year_ago_now)
                out[14, r] = _ratio(_mean(known, t - 368, t - 360), overall)
                out[15, r] = ask_day[a] - first_day - newest


@_jit
def _site_index(known: Array, s: int, d: int, full: float, normal: Array) -> float:
    """Value of site ``s`` on day ``d`` over its own normal for that weekday.

    NaN where the sensor says nothing, is stuck (same value three days running, or a zero where it
    usually counts) or is too new. At or above ``full`` a reading hides demand: it counts as at
    least normal.
    """
    v = _at(known[s], d)
    if np.isnan(v) or (v == _at(known[s], d - 1) and v == _at(known[s], d - 2)):
        return np.nan
    n = 0
    for k in range(1, 9):
        x = _at(known[s], d - 7 * k)
        if not np.isnan(x):
            normal[n] = x
            n += 1
    if n < 3:
        return np.nan
    middle = np.median(normal[:n])
    if middle <= 0 or v == 0:
        return np.nan
    index = v / middle
    return max(index, 1.0) if v >= full else index


@_jit
def _middle(indices: Array, n: int) -> float:
    """Median of ``indices[:n]``; of two middle ones the nearer to 1, so one bad site of two moves
    nothing."""
    if n == 0:
        return np.nan
    ordered = np.sort(indices[:n])
    if n % 2:
        return ordered[n // 2]
    a, b = ordered[n // 2 - 1], ordered[n // 2]
    return a if abs(np.log(max(a, 1e-6))) <= abs(np.log(max(b, 1e-6))) else b


_WINDOW = 28
_STALE = 35
"""Days after which sensors or rounds that fell silent say nothing of today [d]."""


@_jit
def sites(low: int, high: int, asks: Any, rows: Any, full: float, out: Array) -> None:
    """Columns of ``features/mobility.py`` and ``features/parking.py``: robust site indices."""
    zone_asks, ask_origin, ask_day, first_row, target_day = asks
    zone_start, start, day, at, value, first_day, days = rows
    index = np.empty(_WINDOW)
    normal = np.empty(8)
    for z in range(low, high):
        first, count = zone_start[z], zone_start[z + 1] - zone_start[z]
        if count == 0:
            continue
        known = np.full((count, days), _NAN, dtype=np.float32)
        p = start[first : first + count].copy()
        indices = np.empty(count)
        newest = -1
        for a in range(zone_asks[z], zone_asks[z + 1]):
            for s in range(count):
                while p[s] < start[first + s + 1] and at[p[s]] <= ask_origin[a]:
                    d = day[p[s]] - first_day
                    known[s, d] = value[p[s]]
                    newest = max(newest, d)
                    p[s] += 1
            if newest < 0:
                continue
            age = ask_day[a] - first_day - newest
            if age > _STALE:
                out[7, first_row[a] : first_row[a + 1]] = age
                continue
            live, busy, filled = 0, 0, 0
            for k in range(_WINDOW):
                n = 0
                for s in range(count):
                    i = _site_index(known, s, newest - k, full, normal)
                    if not np.isnan(i):
                        indices[n] = i
                        n += 1
                        if k < 7:
                            busy += 1
                            filled += known[s, newest - k] >= full
                index[k] = _middle(indices, n)
                live = max(live, n) if k < 3 else live
            means = np.empty(3)
            for m, length in enumerate((3, 7, 28)):
                total, n = 0.0, 0
                for k in range(length):
                    if not np.isnan(index[k]):
                        total += index[k]
                        n += 1
                means[m] = total / n if n else np.nan
            for r in range(first_row[a], first_row[a + 1]):
                t = target_day[r] - first_day
                back = (newest - t) % 7
                out[0, r] = index[0]
                out[1, r] = means[0]
                out[2, r] = means[1]
                out[3, r] = means[2]
                out[4, r] = index[back]
                out[5, r] = index[back + 7]
                out[6, r] = live
                out[7, r] = age
                if out.shape[0] > 8:
                    out[8, r] = filled / busy if busy else np.nan


_PRESENCE = 91


@_jit
def collections(low: int, high: int, asks: Any, rows: Any, out: Array) -> None:
    """Columns of ``features/waste.py``: collections spread back over the days they stem from."""
    zone_asks, ask_origin, ask_day, first_row, target_day = asks
    zone_start, start, day, at, value, first_day, days = rows
    known = np.empty(days, dtype=np.float32)
    presence = np.empty(_PRESENCE)
    for z in range(low, high):
        if zone_start[z] == zone_start[z + 1]:
            continue
        known[:] = _NAN
        p, end, newest = start[zone_start[z]], start[zone_start[z + 1]], -1
        for a in range(zone_asks[z], zone_asks[z + 1]):
            while p < end and at[p] <= ask_origin[a]:
                d = day[p] - first_day
                known[d] = value[p]
                newest = max(newest, d)
                p += 1
            if newest < 0:
                continue
            age = ask_day[a] - first_day - newest
            if age > _STALE:
                out[4, first_row[a] : first_row[a + 1]] = age
                continue
            # What is collected on a day was thrown away since the collection before, so it is
            # spread over those days; position k is k + 1 days before the newest collection.
            presence[:] = np.nan
            taken = newest
            while newest - taken < _PRESENCE:
                before = taken - 1
                while before >= 0 and taken - before <= 35 and not known[before] > 0:
                    before -= 1
                if before < 0 or not known[before] > 0:
                    break
                if taken - before <= 10:
                    for d in range(before, taken):
                        if newest - 1 - d < _PRESENCE:
                            presence[newest - 1 - d] = known[taken] / (taken - before)
                taken = before
            week = _finite_mean(presence, 0, 7)
            month = _finite_mean(presence, 0, 28)
            base = _finite_mean(presence, 7, 63)
            year = _mean(known, newest - 364 - 13, newest - 364)
            recent = _mean(known, newest - 13, newest)
            for r in range(first_row[a], first_row[a + 1]):
                t = target_day[r] - first_day
                k = (newest - 1 - t) % 7
                same = _ratio(presence[k], _finite_mean(presence, 7, 63))
                out[0, r] = _ratio(week, base)
                out[1, r] = _ratio(month, _finite_mean(presence, 28, 84))
                out[2, r] = same
                out[3, r] = _ratio(recent, year)
                out[4, r] = age


@_jit
def _finite_mean(values: Array, low: int, high: int) -> float:
    """Mean of the finite ``values[low:high]``, NaN if none."""
    total, count = 0.0, 0
    for k in range(low, high):
        if not np.isnan(values[k]):
            total += values[k]
            count += 1
    return total / count if count else np.nan


@_jit
def targets(low: int, high: int, asks: Any, rows: Any, offsets: Array, out: Array) -> None:
    """Latest known value of the target day plus each offset, then the age of the first [d]."""
    zone_asks, ask_origin, _ask_day, first_row, target_day = asks
    zone_start, start, day, at, value, first_day, days = rows
    known = np.empty(days, dtype=np.float32)
    read_at = np.empty(days, dtype=np.int64)
    for z in range(low, high):
        if zone_start[z] == zone_start[z + 1]:
            continue
        known[:] = _NAN
        p, end = start[zone_start[z]], start[zone_start[z + 1]]
        for a in range(zone_asks[z], zone_asks[z + 1]):
            while p < end and at[p] <= ask_origin[a]:
                known[day[p] - first_day] = value[p]
                read_at[day[p] - first_day] = at[p]
                p += 1
            for r in range(first_row[a], first_row[a + 1]):
                t = target_day[r] - first_day
                for i in range(len(offsets)):
                    out[i, r] = _at(known, t + offsets[i])
                if out.shape[0] > len(offsets) and 0 <= t < days and not np.isnan(known[t]):
                    out[len(offsets), r] = (ask_origin[a] - read_at[t]) / 86_400e6


@_jit
def recent(low: int, high: int, asks: Any, rows: Any, windows: Array, out: Array) -> None:
    """Mean over the last ``windows`` known days, and the age of the newest [d] in the last row."""
    zone_asks, ask_origin, ask_day, first_row, _target_day = asks
    zone_start, start, day, at, value, first_day, days = rows
    known = np.empty(days, dtype=np.float32)
    means = np.empty(len(windows))
    for z in range(low, high):
        if zone_start[z] == zone_start[z + 1]:
            continue
        known[:] = _NAN
        p, end, newest = start[zone_start[z]], start[zone_start[z + 1]], -1
        for a in range(zone_asks[z], zone_asks[z + 1]):
            while p < end and at[p] <= ask_origin[a]:
                d = day[p] - first_day
                known[d] = value[p]
                newest = max(newest, d)
                p += 1
            if newest < 0:
                continue
            for i in range(len(windows)):
                means[i] = _mean(known, newest - windows[i] + 1, newest)
            for r in range(first_row[a], first_row[a + 1]):
                for i in range(len(windows)):
                    out[i, r] = means[i]
                out[len(windows), r] = ask_day[a] - first_day - newest
