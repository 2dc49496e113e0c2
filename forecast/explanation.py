"""Why a forecast is what it is: its distance from the usual day, shared out among domains.

The model adds up logarithms: the median over the zone's level is the exponential of the partner's
step and of what the columns contribute to the median booster (path-dependent Shapley values,
``shapley.py``), as far as the blend lets it speak. The logarithmic mean turns such a sum into
persons without a remainder (LMDI: Ang 2005, doi:10.1016/j.enpol.2003.10.010): with f the median, u
what is usual and L(f, u) = (f - u) / ln(f / u), a part p of ln(f / u) is worth p × L(f, u) persons.
See ``docs/decisions/0012-explanations-in-persons.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from forecast.almanac import COLUMNS
from forecast.blending import MEMBERS
from forecast.daily import Daily
from forecast.fitting import OWN_COLUMNS, model_table, trust_in, zone_positions
from forecast.grid import Grid
from forecast.linear import CalendarRidge
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.shapley import Shapley
from forecast.sky import sky_terms
from forecast.tables import CONTRIBUTIONS
from forecast.usual import Usual

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RECENT = "history"
"""The domain that takes what no other says: the recent level and the trend."""

_SEASON = ("weekday", "year_fraction", "season_", "month", "daylight", "clock_change")
_STEP = "model_linear_step"
_RECURSIVE = slice(MEMBERS.index("recursive left"), len(MEMBERS))
_OF_THE_QUESTION = ("horizon_days", "origin_weekday")
_LEAST_STEP, _MOST_BELIEF = 0.02, 1.0
_NOBODY = 1e-6
"""What zero counts for beside another figure [1], as it has no logarithm."""
_TREES: WeakKeyDictionary[Any, Shapley] = WeakKeyDictionary()
"""Trees of the boosters already asked: reading them takes longer than asking."""


@dataclass(frozen=True)
class LogParts:
    """The raw median as ``level`` × the exponential of the sum of ``parts``.

    ``level`` [visitors day⁻¹] and each of ``parts``, by domain [1], have shape (questions,).
    """

    level: Doubles
    parts: Mapping[str, Doubles]


def log_parts(
    model: InfluxModel, matrix: FeatureMatrix, daily: Daily, compared: Sequence[Ints]
) -> LogParts:
    """What each domain adds to the log of the median over the level, before the calibration.

    The partner is linear: its part of ``holidays`` and of ``season`` is its own effect on the
    target day less that on the days the question is ``compared`` with, that of the ``weather`` is
    the sky's step; the rest of its step, what the zone has lately been, is the recent level's.
    What the boosters add is split by column: each counts for its source, but those of the calendar
    for ``holidays`` or ``season``; the horizon, the zone, and what the booster answers on average
    count for the recent level. The partner's step is one of these columns: what the booster makes
    of it is split as the step is, as far as it is in proportion to it (at most as large, where the
    step is at least 0.02); the rest is ``season``.
    """
    grid = matrix.grid
    zone = zone_positions(model.zone_ids, grid)
    effects = model.linear.effects(daily)
    said = model.said(matrix, daily, effects)
    step = said[OWN_COLUMNS.index(_STEP)]
    shares = {
        **_calendar_shares(model.linear, grid, daily, compared),
        "weather": model.sky.steps(sky_terms(matrix), zone),
    }
    shares[RECENT] = step - sum(shares.values())

    booster = model.boosters[len(model.quantiles) // 2]
    if booster not in _TREES:
        _TREES[booster] = Shapley.of(booster)
    given = _TREES[booster].values(model_table(matrix, model.columns, said, zone))
    parts = {domain: np.zeros(len(grid)) for domain in CONTRIBUTIONS}
    for column, values in zip([*model.columns, *OWN_COLUMNS], given[:-1], strict=True):
        if column != _STEP:
            domain = domain_of(column)
            parts[domain] = parts.get(domain, 0.0) + values
    parts[RECENT] += given[-1]  # what it answers on average

    told = given[len(model.columns) + OWN_COLUMNS.index(_STEP)]
    far = np.abs(step) >= _LEAST_STEP
    belief = np.divide(told, step, out=np.zeros_like(step), where=far)
    belief = np.clip(belief, -_MOST_BELIEF, _MOST_BELIEF)
    parts["season"] += told - belief * step
    level, recursive = model.level(matrix), model.recursive_said(matrix, daily, effects)
    drawn = model.blend.of(model.cells(matrix))
    # A recursive member that says nothing leaves its share to the boosters, as in the blend.
    followed = np.where(np.isfinite(recursive), drawn[:, _RECURSIVE], 0.0)
    boosters = 1 - drawn[:, : _RECURSIVE.start].sum(axis=1) - followed.sum(axis=1)
    stepped = drawn[:, MEMBERS.index("partner")] + followed.sum(axis=1)
    stepped += boosters * (trust_in(model.trust, zone) + belief)
    domains = {
        domain: boosters * part + stepped * shares.get(domain, 0.0)
        for domain, part in parts.items()
    }
    beyond = np.log(
        np.where(followed > 0, recursive, 1.0) / np.where(level > 0, level, 1.0)[:, None]
    )
    domains[RECENT] += (followed * (beyond - step[:, None])).sum(axis=1)
    # A catch-up day is what it is because of its week's feast, and nothing else was asked; nor was
    # anything of a place that stands still.
    looked_up = model.catch_up.told(matrix, daily, zone).median
    still = model.standstill.goes_on(matrix, zone)
    worked = np.isfinite(looked_up) & ~still
    domains = {domain: np.where(worked | still, 0.0, part) for domain, part in domains.items()}
    domains[RECENT] = np.where(still, np.log(_NOBODY), domains[RECENT])
    caught_up = np.log(np.where(worked, looked_up, 1.0) / np.where(worked, level, 1.0))
    domains["holidays"] = domains["holidays"] + caught_up
    return LogParts(level, domains)


def domain_of(column: str) -> str:
    """Domain of a column of the matrix, or of the model's own.

    >>> [domain_of(f"calendar_{name}") for name in ("bridge", "season_sin_1", "horizon_days")]
    ['holidays', 'season', 'history']
    >>> domain_of("parking_index"), domain_of("model_zone")
    ('parking', 'history')
    """
    source, _, name = column.partition("_")
    if source == "calendar":
        if name in _OF_THE_QUESTION:
            return RECENT
        return "season" if name.startswith(_SEASON) else "holidays"
    return RECENT if source == "model" else source


def contributions(
    model: InfluxModel, matrix: FeatureMatrix, daily: Daily, median: Doubles, usual: Usual
) -> dict[str, Doubles]:
    """Persons by domain, each of shape (questions,), that add up to ``median`` minus usual.

    ``median`` [visitors day⁻¹], shape (questions,), is the forecast as it is published; where
    nothing is usual the level stands in for it. ``daily`` must cover the days of ``usual``.
    """
    logs = log_parts(model, matrix, daily, usual.days)
    reference = np.where(np.isfinite(usual.influx), usual.influx, logs.level)
    return in_persons(median, reference, logs.parts, rest=RECENT)


def in_persons(
    forecast: Doubles, reference: Doubles, parts: Mapping[str, Doubles], rest: str
) -> dict[str, Doubles]:
    """Parts of the log of ``forecast`` over ``reference``, in their unit, without a remainder.

    All arrays have shape (n,) and what they hold is ≥ 0, but the parts. The part ``rest`` is not
    read: it is what the others leave of ``forecast - reference``.
    """
    weight = logarithmic_mean(forecast, reference)
    persons = {domain: weight * part for domain, part in parts.items() if domain != rest}
    left = forecast - reference - sum(persons.values())
    return {domain: persons.get(domain, left) for domain in parts}


def logarithmic_mean(a: Doubles, b: Doubles) -> Doubles:
    """(a - b) / ln(a / b), and a where both are equal; shape (n,).

    Zero has no logarithm: each counts for at least a millionth of the other.

    >>> logarithmic_mean(np.array([2.0, 5.0, 0.0]), np.array([1.0, 5.0, 0.0])).round(4).tolist()
    [1.4427, 5.0, 0.0]
    """
    most = np.maximum(a, b)
    low = np.maximum(np.minimum(a, b), _NOBODY * most)
    gap = np.divide(most - low, low, out=np.zeros_like(most), where=low > 0)
    # log1p keeps its digits where both are nearly equal.
    mean: Doubles = np.divide(most - low, np.log1p(gap), out=low.copy(), where=gap > 1e-12)
    return mean


def _calendar_shares(
    linear: CalendarRidge, grid: Grid, daily: Daily, compared: Sequence[Ints]
) -> dict[str, Doubles]:
    """Effect of holidays and of season, in log, on the target day beyond that on its like."""
    holidays = [i for i, name in enumerate(COLUMNS) if domain_of(f"calendar_{name}") == "holidays"]
    lines = daily.lines.copy()
    lines[holidays] = 0
    nobody = np.zeros_like(daily.markets)
    whole, ordinary, bare = (
        linear.effects(replace(daily, lines=simpler, markets=markets))
        for simpler, markets in (
            (daily.lines, daily.markets),
            (lines, nobody),
            (np.zeros_like(lines), nobody),
        )
    )
    answer = {}
    for domain, effect in (("holidays", whole - ordinary), ("season", ordinary - bare)):
        target = effect[grid.row_zone, grid.target_day - daily.first_day]
        like = [
            effect[zone, days - daily.first_day].mean()
            for zone, days in zip(grid.row_zone, compared, strict=True)
        ]
        answer[domain] = target - np.array(like)
    return answer
