"""Kernel of ``features/history.py``: levels, recent same weekdays, the year before."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.features.kernels import NAN, Array, at_day, compiled, mean, ratio, replay, steady_mean

_YEAR = 364
"""Days to the same weekday of the year before [d]."""
_WEEKS = 12
_ORDINARY_DAYS = 6
_EMPTY = 0.3
"""Share of the mean day [1] below which a weekday is near empty, and its outliers no more odd; that
of ``forecast/outliers.py``, written again because kept code is dated by its own module alone."""
_STANDSTILL_DAYS, _RARE = 7, 0.05
"""What makes a standstill, those of ``forecast/standstill.py``, for the same reason."""


@compiled
def _weekday_level(known: Array, special: Array, last: int, least: float) -> float:
    """Mean of the latest six ordinary days of one weekday at or before ``last``.

    Looks back twelve weeks; with fewer than two ordinary days it takes the special ones too.
    Outliers among the six count as their median, where that is at least ``least``.
    """
    ordinary, count, all_total, all_count = np.empty(_ORDINARY_DAYS), 0, 0.0, 0
    for k in range(_WEEKS):
        d = last - 7 * k
        if d < 0 or count == _ORDINARY_DAYS:
            break
        if d >= len(known) or np.isnan(known[d]):
            continue
        all_total += known[d]
        all_count += 1
        if not special[d]:
            ordinary[count] = known[d]
            count += 1
    if count >= 2:
        return steady_mean(ordinary, count, least)
    return all_total / all_count if all_count else np.nan


@compiled
def _measured(known: Array, newest: int, out: Array) -> None:
    """Write into ``out`` the days known up to ``newest`` without those of standstills."""
    out[:] = known
    start, run, empty, days = 0, 0, 0, 0
    for d in range(newest + 2):
        if d <= newest and np.isnan(known[d]):
            continue
        if d <= newest and known[d] == 0:
            start = d if run == 0 else start
            run += 1
            continue
        if run >= _STANDSTILL_DAYS:
            out[start:d] = NAN
        else:
            empty += run
            days += run
        days += 1 if d <= newest else 0
        run = 0
    if empty > _RARE * days:
        out[:] = known


@compiled
def _deviation(known: Array, level: Array, newest: int) -> tuple[float, float, float]:
    """Days over the level of their weekday: the newest, the mean of 7, the deviation over 28."""
    latest, week, n_week = np.nan, np.empty(7), 0
    total, square, n = 0.0, 0.0, 0
    for k in range(28):
        r = ratio(at_day(known, newest - k), level[(newest - k) % 7])
        if np.isnan(r):
            continue
        if k == 0:
            latest = r
        if k < 7:
            week[n_week] = r
            n_week += 1
        total += r
        square += r * r
        n += 1
    anomaly = steady_mean(week, n_week, 0.0)
    if n < 2:
        return latest, anomaly, np.nan
    return latest, anomaly, np.sqrt(max(square / n - (total / n) ** 2, 0.0))


@compiled
def history(
    low: int, high: int, asks: Any, rows: Any, special: Array, analogue: Array, out: Array
) -> None:
    """Write the sixteen columns, in the order of ``features/history.py``.

    ``special`` (zones, days) marks days of holiday runs; ``analogue`` (zones, days) is the day of
    an earlier year to which a day is likened. Both begin on the first day of the line and reach
    over the last target day; ``analogue`` counts from there too.
    """
    zone_asks, ask_origin, ask_day, first_row, target_day = asks
    zone_series, start, _date, _at, value, first_day, days = rows
    told, left = np.empty(days, dtype=np.float32), np.empty(days, dtype=np.float32)
    level, base, then = np.empty(7), np.empty(7), np.empty(7)
    for z in range(low, high):
        if zone_series[z, 0] == zone_series[z, 1]:
            continue
        told[:] = NAN
        p, end, newest = start[zone_series[z, 0]], start[zone_series[z, 0] + 1], -1
        # Mostly nothing is ever empty, and what was told is what was measured.
        stands = (value[p:end] == 0).any()
        known = left if stands else told
        for a in range(zone_asks[z], zone_asks[z + 1]):
            p, newest = replay(told, newest, p, end, ask_origin[a], rows)
            if newest < 0:
                continue
            if stands:
                _measured(told, newest, known)
            overall = mean(known, newest - 55, newest)
            least = _EMPTY * overall
            year_ago_now = mean(known, newest - _YEAR - 27, newest - _YEAR)
            trend = ratio(mean(known, newest - 27, newest), year_ago_now)
            for w in range(7):
                last = newest - (newest - w) % 7
                level[w] = _weekday_level(known, special[z], last, least)
                then[w] = _weekday_level(known, special[z], last - _YEAR, least)
                # A level near nothing would blow every ratio up.
                floor = 0.1 * overall
                base[w] = floor if np.isnan(level[w]) or level[w] < floor else level[w]
            latest, anomaly, spread = _deviation(known, level, newest)
            age = ask_day[a] - first_day - newest
            for r in range(first_row[a], first_row[a + 1]):
                t = target_day[r] - first_day
                w = t % 7
                last = newest - (newest - t) % 7  # latest known day of the target's weekday
                out[0, r] = base[w]
                out[1, r] = overall
                for k in range(4):
                    out[2 + k, r] = ratio(at_day(known, last - 7 * k), base[w])
                out[6, r] = ratio(overall, base[w])
                out[7, r] = latest
                out[8, r] = anomaly
                out[9, r] = spread
                out[10, r] = trend
                out[11, r] = ratio(at_day(known, t - _YEAR), then[w])
                # A target before the line has no analogue in it.
                like = analogue[z, t] if t >= 0 else -1
                if like == t - _YEAR:
                    out[12, r] = out[11, r]
                elif like >= 0:
                    remove = _weekday_level(known, special[z], like - (t - last), least)
                    out[12, r] = ratio(at_day(known, like), remove)
                out[13, r] = ratio(mean(known, t - _YEAR - 3, t - _YEAR + 3), year_ago_now)
                out[14, r] = ratio(mean(known, t - _YEAR - 4, t - _YEAR + 4), overall)
                out[15, r] = age
