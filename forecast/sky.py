"""The sky's part of the linear partner: what the weather forecast adds to the calendar.

Trees need a split on the zone, one on the season and one on the sky before they know that sun fills
a beach in May; on a long weekend they never see enough days to make them. A ridge per zone says it
in fifteen numbers, and multiplies: sun adds as much, in proportion, to a full Saturday as to an
empty Tuesday. Terms are what was forecast for the target day minus what was lately the case, which
the zone's level already holds; each fades or grows with the season and with the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import Ridge

from forecast.matrix import FeatureMatrix

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PENALTY = 50.0
_MIN_QUESTIONS = 200
_BLOCKS = 5
_TERMS = 15


@dataclass(frozen=True)
class SkyRidge:
    """Effects of the forecast weather on log influx, shape (zones, terms); zeros: none known."""

    coefficients: Doubles

    @classmethod
    def fit(cls, terms: Doubles, left: Doubles, zone: Ints, zones: int) -> Self:
        """Fit on ``left``, what the calendar leaves of log influx over level, shape (questions,).

        ``terms`` are those of :func:`sky_terms`, ``zone`` is the position of each question's zone.
        A zone with fewer than 200 questions has no effect known.
        """
        coefficients = np.zeros((zones, terms.shape[1]))
        for z in range(zones):
            own = zone == z
            if own.sum() >= _MIN_QUESTIONS:
                coefficients[z] = Ridge(alpha=_PENALTY).fit(terms[own], left[own]).coef_
        return cls(coefficients)

    @classmethod
    def none(cls) -> Self:
        """A partner that knows no zone."""
        return cls(np.zeros((0, _TERMS)))

    def steps(self, terms: Doubles, zone: Ints) -> Doubles:
        """Step of each question, shape (questions,); 0 for a zone it does not know."""
        known = (zone >= 0) & (zone < len(self.coefficients))
        answer = np.zeros(len(terms))
        answer[known] = (terms[known] * self.coefficients[zone[known]]).sum(axis=1)
        return answer


def fit_sky(matrix: FeatureMatrix, left: Doubles) -> tuple[SkyRidge, Doubles]:
    """The partner, and its step for each question it was fitted on, shape (questions,).

    ``left`` is NaN where influx is not known. A question's step comes from a ridge that did not
    see its target day.
    """
    terms, day = sky_terms(matrix), matrix.grid.target_day
    zone, zones = matrix.grid.row_zone.astype(np.int64), len(matrix.grid.zone_ids)
    known = np.isfinite(left)

    def fit(rows: npt.NDArray[np.bool_]) -> SkyRidge:
        return SkyRidge.fit(terms[rows], left[rows], zone[rows], zones)

    edges = np.quantile(day[known], np.linspace(0, 1, _BLOCKS + 1))
    edges[0], edges[-1] = -np.inf, np.inf
    steps = np.zeros(len(left))
    for low, high in pairwise(edges):
        inside = (day >= low) & (day < high)
        steps[inside] = fit(known & ~inside).steps(terms[inside], zone[inside])
    return fit(known), steps


def sky_terms(matrix: FeatureMatrix) -> Doubles:
    """Terms of the regression, shape (questions, terms); 0 where the weather is not known."""

    def column(name: str) -> Doubles:
        if name not in matrix.columns:
            return np.full(len(matrix.grid), np.nan)
        return matrix.column(name).astype(np.float64)

    def rain(name: str) -> Doubles:
        return np.log1p(np.maximum(column(name), 0))

    daylight = np.maximum(column("calendar_daylight"), 1)
    sky = np.stack(
        [
            (column("weather_sunshine") - column("weather_sunshine_28")) / daylight,
            column("weather_warmer") / 5,
            rain("weather_precipitation") - rain("weather_precipitation_28"),
        ]
    )
    season, lead = column("calendar_season_cos_1"), matrix.grid.horizon / 14
    terms = np.concatenate([sky, sky * season, sky * lead, sky * lead**2, sky * season * lead])
    return np.asarray(np.nan_to_num(terms).T)
