"""The linear partner: a ridge regression of log influx on the calendar, one per zone.

Trees answer with averages of what they saw; on a feast that came four times they see four days. A
ridge adds up the effects of weekday, season, feast and school instead, and extrapolates a trend.
It reads only the calendar, so it can answer for any day; the booster is given its answer as a
column, and learns when to believe it. In the literature on visitor attractions nothing beats the
linear model on some of them (Lionetti 2021, doi:10.5220/0010323001900197).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import Ridge

from forecast.daily import Daily
from forecast.grid import Grid

Doubles = npt.NDArray[np.float64]

_HALF_LIFE_DAYS = 540.0
_PENALTY = 3.0
_MIN_DAYS = 60


@dataclass
class CalendarRidge:
    """Effects of the calendar on log influx, by zone.

    ``coefficients`` has shape (zones, terms) over the standard terms of :func:`design`;
    a zone with fewer than 60 known days has zeros, which means "no effect known".
    """

    zone_ids: tuple[str, ...]
    coefficients: Doubles
    last_day: int

    @classmethod
    def fit(cls, daily: Daily, influx: Doubles, until_day: int) -> CalendarRidge:
        """Fit on ``influx`` [visitors day⁻¹], shape (zones, days) on the days of ``daily``.

        NaN and zero days are left out. Recent days weigh more: half as much every 18 months.
        """
        rows = []
        age = until_day - (daily.first_day + np.arange(daily.days))
        for z in range(len(daily.zone_ids)):
            known = np.isfinite(influx[z]) & (influx[z] > 0)
            terms = design(daily, z, until_day)
            if known.sum() < _MIN_DAYS:
                rows.append(np.zeros(terms.shape[1] + 1))
                continue
            weight = 0.5 ** (np.maximum(age[known], 0) / _HALF_LIFE_DAYS)
            # Most feasts and offsets never came: their coefficient is 0, and solving without
            # them is five times faster.
            came = terms[known].any(axis=0)
            model = Ridge(alpha=_PENALTY).fit(
                terms[np.ix_(known, came)], np.log(influx[z][known]), sample_weight=weight
            )
            row = np.zeros(terms.shape[1] + 1)
            row[:-1][came], row[-1] = model.coef_, model.intercept_
            rows.append(row)
        return cls(daily.zone_ids, np.array(rows), until_day)

    def effects(self, daily: Daily) -> Doubles:
        """Log influx the calendar alone suggests, shape (zones of ``daily``, days).

        Zero, no effect known, for a zone this partner has not seen.
        """
        answer = np.zeros((len(daily.zone_ids), daily.days))
        index = {zone: i for i, zone in enumerate(self.zone_ids)}
        for z, zone in enumerate(daily.zone_ids):
            if zone in index:
                row = self.coefficients[index[zone]]
                answer[z] = design(daily, z, self.last_day) @ row[:-1] + row[-1]
        return answer

    def steps(self, grid: Grid, age: npt.NDArray[np.float32], daily: Daily) -> Doubles:
        """Step of each question, shape (questions,); ``age`` is the column ``history_age`` [d]."""
        return _steps(self.effects(daily), grid, age, daily)


def design(daily: Daily, zone: int, last_day: int) -> Doubles:
    """Terms of the regression for one zone, shape (days, terms)."""
    weekday = daily.column("weekday", zone).astype(int)
    angle = 2 * np.pi * daily.column("year_fraction", zone)
    seasons = np.stack([f(k * angle) for k in (1, 2, 3) for f in (np.sin, np.cos)], axis=1)
    days = np.eye(7)[weekday]
    weekend = (weekday >= 5).astype(float)[:, None]
    school = np.nan_to_num(
        np.stack([daily.column(c, zone) for c in ("school_share", "school_home")], axis=1)
    )
    holiday = np.stack(
        [daily.column(c, zone) for c in ("holiday", "eve", "after", "bridge", "holiday_share")],
        axis=1,
    )
    # The trend stops at the end of what was seen: a ridge must not extrapolate a slope.
    year = (np.minimum(daily.first_day + np.arange(daily.days), last_day) - last_day) / 365.25
    trend = np.stack([year, np.abs(year + 1), np.maximum(year + 0.25, 0)], axis=1)
    run = np.nan_to_num(daily.column("run_length", zone))[:, None] > 0
    terms = [
        days,
        (days[:, :, None] * seasons[:, None, :4]).reshape(len(days), -1),
        seasons[:, 4:],
        school,
        school * weekend,
        np.nan_to_num(holiday),
        trend,
        run,
        _feast_terms(daily, zone),
    ]
    return np.concatenate(terms, axis=1).astype(np.float64)


def _feast_terms(daily: Daily, zone: int) -> Doubles:
    """One term per feast and day around it, from three before to eight after."""
    feast = np.nan_to_num(daily.column("feast", zone), nan=0).astype(int)
    offset = np.nan_to_num(daily.column("feast_offset", zone), nan=99).astype(int)
    kinds, low, high = 40, -4, 8
    terms = np.zeros((daily.days, kinds * (high - low + 1)))
    inside = (feast > 0) & (offset >= low) & (offset <= high)
    column = (feast % kinds) * (high - low + 1) + np.clip(offset - low, 0, high - low)
    terms[np.flatnonzero(inside), column[inside]] = 1.0
    return terms


def _steps(effects: Doubles, grid: Grid, age: npt.NDArray[np.float32], daily: Daily) -> Doubles:
    """What the calendar alone says of each question: log of influx over the zone's recent level.

    The effect of the target day minus the mean effect of the six latest known days of its weekday,
    the days of which ``history_level`` is made.
    """
    newest = grid.ask_day[grid.row_ask] - np.nan_to_num(age, nan=7.0).astype(np.int64)
    target = grid.target_day - daily.first_day
    last = newest - (newest - grid.target_day) % 7 - daily.first_day
    lines = np.vstack([effects, np.zeros(daily.days)])
    recent = np.mean(
        [lines[grid.row_zone, np.clip(last - 7 * k, 0, daily.days - 1)] for k in range(6)], axis=0
    )
    return np.asarray(lines[grid.row_zone, np.clip(target, 0, daily.days - 1)] - recent)


def cross_fitted_steps(
    grid: Grid,
    age: npt.NDArray[np.float32],
    daily: Daily,
    influx: Doubles,
    until_day: int,
    blocks: int = 5,
) -> Doubles:
    """Steps for training, each from a ridge that did not see the question's target day.

    A step fitted on its own day would look better to the booster than it will be when it counts.
    """
    day = daily.first_day + np.arange(daily.days)
    known = np.flatnonzero(np.isfinite(influx).any(axis=0))
    edges = np.linspace(day[known[0]], day[known[-1]] + 1, blocks + 1).astype(int)
    edges[0], edges[-1] = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    answer = np.full(len(grid), np.nan)
    for low, high in pairwise(edges):
        rows = (grid.target_day >= low) & (grid.target_day < high)
        if rows.any():
            kept = np.where((day >= low) & (day < high), np.nan, influx)
            effects = CalendarRidge.fit(daily, kept, until_day).effects(daily)
            answer[rows] = _steps(effects, grid, age, daily)[rows]
    return answer
