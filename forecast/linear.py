"""The linear partner: a ridge regression of log influx on the calendar, one per zone.

Trees answer with averages of what they saw; on a feast that came four times they see four days. A
ridge adds up the effects of weekday, season, feast and school instead. It reads only the calendar,
so it can answer for any day; what the zone has lately been beyond its calendar (``drift.py``) is
added. The boosters learn what is left of log influx, so that they need not learn the calendar
again. In the literature on visitor attractions nothing beats the linear model on some of them
(Lionetti 2021, doi:10.5220/0010323001900197).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import Ridge

from forecast.calendar_terms import design
from forecast.daily import Daily
from forecast.drift import drift_of
from forecast.errors import ModelError
from forecast.matrix import FeatureMatrix

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

OWN = ("linear_step", "drift_fast", "drift_slow", "drift_weekday")
"""What the partner says of a question, in the order of :meth:`CalendarRidge.say`."""

_HALF_LIFE_DAYS = 540.0
_PENALTY = 3.0
_MIN_DAYS = 60
_ROUNDS = 2
_FAR = 1.5
_STEEPEST = 3.0


@dataclass
class CalendarRidge:
    """Effects of the calendar on log influx, by zone.

    ``coefficients`` has shape (zones, terms + 1) over the terms of
    :func:`forecast.calendar_terms.design` and a constant;
    a zone with fewer than 60 known days has zeros. Such a zone, or one that is not here, borrows
    the mean effects of the others: its own days still say how full it is.
    """

    zone_ids: tuple[str, ...]
    coefficients: Doubles
    last_day: int

    @classmethod
    def fit(
        cls, daily: Daily, influx: Doubles, until_day: int, terms: Designs | None = None
    ) -> CalendarRidge:
        """Fit on ``influx`` [visitors day⁻¹], shape (zones, days) on the days of ``daily``.

        NaN and zero days are left out. Recent days weigh more: half as much every 18 months; full
        ones weigh more than empty ones; ordinary days far from what the calendar explains (a storm,
        a strike) weigh less, by Huber's weights. ``terms`` are those of ``daily`` up to
        ``until_day``, for whoever fits several times.
        """
        terms = terms or Designs(daily, until_day)
        age = until_day - (daily.first_day + np.arange(daily.days))
        recency = 0.5 ** (np.maximum(age, 0) / _HALF_LIFE_DAYS)
        rows = []
        for z in range(len(daily.zone_ids)):
            known = np.isfinite(influx[z]) & (influx[z] > 0)
            design_z = terms.of(z)
            row = np.zeros(design_z.shape[1] + 1)
            if known.sum() >= _MIN_DAYS:
                # Most feasts and offsets never came: their coefficient is 0, and solving without
                # them is five times faster.
                came = design_z[known].any(axis=0)
                run = daily.column("run_length", z)[known] > 0
                row[:-1][came], row[-1] = _robust(
                    design_z[np.ix_(known, came)], np.log(influx[z][known]), recency[known], run
                )
            rows.append(row)
        return cls(daily.zone_ids, np.array(rows), until_day)

    def effects(self, daily: Daily, terms: Designs | None = None) -> Doubles:
        """Log influx the calendar alone suggests, shape (zones of ``daily``, days).

        Without a constant where the effects are borrowed; zero where there are none to borrow.
        """
        terms, own = terms or Designs(daily, self.last_day), self.own(daily)
        told = self.coefficients[self.coefficients.any(axis=1)]
        index = {zone: i for i, zone in enumerate(self.zone_ids)}
        answer = np.zeros((len(daily.zone_ids), daily.days))
        for z, zone in enumerate(daily.zone_ids):
            if own[z]:
                row = self.coefficients[index[zone]]
                answer[z] = terms.of(z) @ row[:-1] + row[-1]
            elif len(told):
                answer[z] = terms.of(z) @ told[:, :-1].mean(axis=0)
        return answer

    def own(self, daily: Daily) -> Bools:
        """Whether each zone of ``daily`` has effects of its own, shape (zones,)."""
        known = {
            zone for zone, row in zip(self.zone_ids, self.coefficients, strict=True) if row.any()
        }
        return np.array([zone in known for zone in daily.zone_ids])

    def say(
        self,
        matrix: FeatureMatrix,
        level: Doubles,
        daily: Daily,
        effects: Doubles | None = None,
    ) -> Doubles:
        """What this partner says of each question, shape (4, questions): :data:`OWN`.

        First the step, in log, from ``level`` [visitors day⁻¹] to the influx it expects: the effect
        of the target day and the drift of the zone. Then what its faster and its slower drift are
        beyond that drift, and what the drift of the target's weekday is. All zero where neither an
        effect of the zone's own nor any of its recent days is known.

        Raises
        ------
        ModelError
            If the matrix does not carry the recent influx.
        """
        grid, recent = matrix.grid, matrix.recent
        if recent is None:
            raise ModelError(
                "the matrix does not carry the recent influx, which the model reads: build it with "
                "every source"
            )
        effects = self.effects(daily) if effects is None else effects
        drift = drift_of(effects, daily.first_day, grid, recent)
        ask, zone = grid.row_ask, grid.row_zone
        day = np.clip(grid.target_day - daily.first_day, 0, daily.days - 1)
        weekday = drift.weekday[ask, grid.target_day % 7]
        lines = np.vstack([effects, np.zeros(daily.days)])
        own: Bools = np.append(self.own(daily), False)
        lately: Bools = np.asarray(np.isfinite(recent).any(axis=1))
        told: Bools = np.asarray((lines != 0).any(axis=1))
        known: Bools = told[zone] & (own[zone] | lately[ask]) & (level > 0)
        base = lines[zone, day] + drift.level[ask] + weekday
        step = base - np.log(np.where(known, level, 1.0))
        said = np.stack(
            [
                np.clip(step, -_STEEPEST, _STEEPEST),
                (drift.fast - drift.level)[ask],
                (drift.slow - drift.level)[ask],
                weekday,
            ]
        )
        return np.where(known, said, 0.0)


class Designs:
    """Terms of each zone, up to a last day, made once for zones that share a calendar."""

    def __init__(self, daily: Daily, last_day: int) -> None:
        self._daily, self._last_day = daily, last_day
        self._made: dict[int, Doubles] = {}

    def of(self, zone: int) -> Doubles:
        """Shape (days, terms)."""
        group = int(self._daily.group[zone])
        if group not in self._made:
            self._made[group] = design(self._daily, zone, self._last_day)
        return self._made[group]


def _robust(terms: Doubles, logs: Doubles, recency: Doubles, run: Bools) -> tuple[Doubles, float]:
    """Coefficients and constant; ``run`` marks days of holiday runs, which are rare, not wrong."""
    model = Ridge(alpha=_PENALTY).fit(terms, logs, sample_weight=recency)
    for _ in range(_ROUNDS):
        fitted = model.predict(terms)
        size = np.exp(fitted - fitted.max())
        persons = np.clip(size / np.average(size, weights=recency), 0.02, 2.0)
        off = np.abs(logs - fitted)
        bound = _FAR * 1.4826 * np.median(off) + 1e-9
        trust = np.where(run, 1.0, np.minimum(1.0, bound / np.maximum(off, 1e-9)))
        model = Ridge(alpha=_PENALTY).fit(terms, logs, sample_weight=recency * persons * trust)
    return model.coef_, float(model.intercept_)
