"""Levels: vert, orange, rouge and noir as return periods of a zone's own history.

A zone is orange when it is as full as it is about 36 days a year, rouge about 10, noir about 2: the
word means the same in a resort and in a rural plateau, and does not depend on the week being shown.
A zone without enough history has no level ("référence en construction") rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVELS = ("vert", "orange", "rouge", "noir")
"""From the usual day to the most severe."""

MIN_HISTORY_DAYS = 180
"""Fewer measured days than this say nothing about what a zone reaches twice a year [d]."""

HISTORY_DAYS = 3 * 364
"""Thresholds are those of the last three years that are known [d]."""

CAPACITY_SHARES = (0.8, 1.0, 1.2)
"""Shares of a zone's capacity, where one is given, at which orange, rouge and noir begin [1]."""

DAYS_PER_YEAR = 365.25

SHOWN_FROM = 0.5 - 1e-9
"""Probability from which the word is shown [1]: one half is often reached exactly, where the median
is the threshold, and rounding is forgiven."""


class DaysPerYear(Protocol):
    """Days per year on which each level is reached; ``config.Levels`` is one."""

    @property
    def orange(self) -> float:
        """Days per year at orange or worse [d]."""

    @property
    def rouge(self) -> float:
        """Days per year at rouge or worse [d]."""

    @property
    def noir(self) -> float:
        """Days per year at noir [d]."""


def thresholds(
    history_values_by_zone: Mapping[str, npt.ArrayLike], days_per_year: DaysPerYear
) -> dict[str, Floats | None]:
    """Influx from which each level begins, for each zone.

    Parameters
    ----------
    history_values_by_zone
        Daily influx of each zone [visitors day⁻¹], shape (days,), NaN where not measured. Whole
        years are best: a history of one season calls that season usual.
    days_per_year
        How often each level is reached.

    Returns
    -------
    dict
        For each zone its orange, rouge and noir thresholds [visitors day⁻¹], shape (3,),
        increasing; None for a zone with fewer than :data:`MIN_HISTORY_DAYS` measured days, or
        whose orange would be its median day (a constant or almost always empty series).

    >>> from types import SimpleNamespace
    >>> yearly = SimpleNamespace(orange=36, rouge=10, noir=2)
    >>> found = thresholds({"coast": range(1461), "new": range(30)}, yearly)
    >>> found["coast"].round(), found["new"]
    (array([1316., 1420., 1452.]), None)
    """
    frequent = (days_per_year.orange, days_per_year.rouge, days_per_year.noir)
    quantiles = [1.0 - days / DAYS_PER_YEAR for days in frequent]
    return {
        zone_id: _zone_thresholds(np.asarray(values, dtype=np.float64), quantiles)
        for zone_id, values in history_values_by_zone.items()
    }


def _zone_thresholds(values: Floats, quantiles: Sequence[float]) -> Floats | None:
    measured = values[np.isfinite(values)]
    if len(measured) < MIN_HISTORY_DAYS:
        return None
    median, *found = np.quantile(measured, [0.5, *quantiles])
    return np.array(found) if found[0] > median else None


def zone_limits(
    influx: npt.ArrayLike,
    days_per_year: DaysPerYear,
    capacities: Sequence[float | None],
) -> Floats:
    """Where each level begins in each zone, shape (zones, 3), NaN where a zone has no level.

    ``influx`` has shape (zones, days), NaN where not known; its last :data:`HISTORY_DAYS` up to the
    newest known day count. A zone with a capacity [visitors day⁻¹] is measured against
    :data:`CAPACITY_SHARES` of it instead, from the first day on.

    >>> from types import SimpleNamespace
    >>> yearly = SimpleNamespace(orange=36, rouge=10, noir=2)
    >>> lines = [range(200), [float("nan")] * 200, [1] * 200]
    >>> zone_limits(lines, yearly, [None, 500, None]).round()
    array([[179., 194., 198.],
           [400., 500., 600.],
           [ nan,  nan,  nan]])
    """
    lines = np.asarray(influx, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(lines).any(axis=0))
    newest = known[-1] + 1 if len(known) else 0
    names = [str(i) for i in range(len(lines))]
    history = dict(zip(names, lines[:, max(newest - HISTORY_DAYS, 0) : newest], strict=True))
    limits = threshold_rows(thresholds(history, days_per_year), names)
    for row, capacity in zip(limits, capacities, strict=True):
        if capacity is not None:
            row[:] = np.multiply(CAPACITY_SHARES, capacity)
    return limits


def threshold_rows(zone_thresholds: Mapping[str, Floats | None], zone_ids: Sequence[str]) -> Floats:
    """Thresholds of each row's zone, shape (rows, 3), NaN where the zone has none.

    >>> threshold_rows({"a": np.array([1.0, 2.0, 3.0]), "b": None}, ["b", "a", "c"])
    array([[nan, nan, nan],
           [ 1.,  2.,  3.],
           [nan, nan, nan]])
    """
    none = np.full(3, np.nan)
    rows = [zone_thresholds.get(zone_id) for zone_id in zone_ids]
    return np.array([none if row is None else row for row in rows]).reshape(-1, 3)


def probabilities(
    quantile_levels: Sequence[float], quantile_values: npt.ArrayLike, thresholds: npt.ArrayLike
) -> Floats:
    """Probability of each level, from the quantiles of a forecast.

    Between quantiles the distribution is uniform (a piecewise linear CDF); beyond the outer ones it
    falls exponentially, from the density of the outermost interval. Quantiles that cross are put
    in order first. Equal quantiles are a mass, which counts as reaching a threshold it equals.

    Parameters
    ----------
    quantile_levels
        At least two increasing numbers in (0, 1), q of them.
    quantile_values
        Influx at these quantiles [visitors day⁻¹], shape (n, q).
    thresholds
        Where orange, rouge and noir begin [visitors day⁻¹], shape (n, 3), increasing.

    Returns
    -------
    array
        Shape (n, 4), in the order of :data:`LEVELS`; rows sum to 1, or are NaN where a threshold
        or a quantile is NaN.

    Raises
    ------
    ValueError
        If the shapes do not agree or the quantile levels do not increase within (0, 1).

    >>> probabilities([0.1, 0.5, 0.9], [[10, 20, 30]], [[20, 26, 30]]).round(2)
    array([[0.5 , 0.24, 0.16, 0.1 ]])
    """
    levels = np.asarray(quantile_levels, dtype=np.float64)
    values = np.sort(np.asarray(quantile_values, dtype=np.float64), axis=1)
    limits = np.asarray(thresholds, dtype=np.float64)
    if len(levels) < 2 or (np.diff([0.0, *levels, 1.0]) <= 0).any():
        raise ValueError(f"expected two or more quantiles increasing within (0, 1), got {levels}")
    if values.shape != (len(limits), len(levels)) or limits.shape[1:] != (3,):
        raise ValueError(
            f"expected values of shape (n, {len(levels)}) and thresholds of shape (n, 3), "
            f"got {values.shape} and {limits.shape}"
        )
    reached = 1.0 - _below(levels, values, limits)
    reached = np.minimum.accumulate(np.clip(reached, 0.0, 1.0), axis=1)
    edges = np.column_stack([np.ones(len(limits)), reached, np.zeros(len(limits))])
    found = edges[:, :-1] - edges[:, 1:]
    found[np.isnan(limits).any(axis=1) | np.isnan(values).any(axis=1)] = np.nan
    return found


def _below(levels: Floats, values: Floats, limits: Floats) -> Floats:
    """P(influx < limit), shape (n, 3): the CDF's limit from the left, so that a mass at the limit
    counts as reaching it."""
    first, last = values[:, :1], values[:, -1:]
    lower = (values[:, 1:2] - first) * levels[0] / (levels[1] - levels[0])
    upper = (last - values[:, -2:-1]) * (1 - levels[-1]) / (levels[-1] - levels[-2])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        under = levels[0] * np.exp((limits - first) / lower)
        over = 1 - (1 - levels[-1]) * np.exp(-(limits - last) / upper)
    # A mass at the outer quantile (zero spread) has no tail beyond it.
    below = np.where(limits > last, np.where(upper > 0, over, 1.0), 0.0)
    below = np.where(limits <= first, np.where(lower > 0, under, 0.0), below)
    for k in range(len(levels) - 1):
        left, right = values[:, k : k + 1], values[:, k + 1 : k + 2]
        inside = (limits > left) & (limits <= right)
        share = np.divide(limits - left, right - left, out=np.zeros_like(limits), where=inside)
        below = np.where(inside, levels[k] + (levels[k + 1] - levels[k]) * share, below)
    return below


def level_of(probabilities: npt.ArrayLike) -> npt.NDArray[Any]:
    """Level of each row: the most severe one reached or exceeded with probability at least ½.

    ``probabilities`` has shape (n, 4); returns an object array of shape (n,), None where a row is
    NaN.

    >>> level_of([[0.6, 0.3, 0.1, 0.0], [0.3, 0.2, 0.4, 0.1], [float("nan")] * 4])
    array(['vert', 'rouge', None], dtype=object)
    """
    rows = np.asarray(probabilities, dtype=np.float64).reshape(-1, len(LEVELS))
    or_worse = np.cumsum(rows[:, ::-1], axis=1)[:, ::-1]
    reached = (or_worse[:, 1:] >= SHOWN_FROM).sum(axis=1)
    found: npt.NDArray[Any] = np.array(LEVELS, dtype=object)[reached]
    found[np.isnan(rows).any(axis=1)] = None
    return found
