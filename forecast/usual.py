"""What is usual for a day: the median of its like, and which days those are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecast.analogue import run_days
from forecast.grid import Grid, days_like
from forecast.standstill import measured
from forecast.territory import Territory
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST = 3
_RECENT, _RECENT_DAYS, _YEAR = 6, 84, 364


@dataclass(frozen=True)
class Usual:
    """What is usual for the day of each question of a grid.

    ``influx`` [visitors day⁻¹], shape (questions,), is NaN where fewer than three days say it;
    ``days`` holds, for each question, the days its own is compared with, in days since 1970-01-01:
    those of which ``influx`` is the median; where it is NaN, the latest six of that weekday, as
    for ``history_level``; where none is known, those of the last year.
    """

    influx: Doubles
    days: tuple[Ints, ...]


def usual(grid: Grid, truth: Truth, territory: Territory) -> Usual:
    """The median of the known days of the same weekday within three weeks of that time of year.

    This year and before, holiday runs and standstills left out.
    """
    days = truth.first_day + np.arange(truth.values.shape[1])
    ordinary = np.where(
        run_days(territory, truth.first_day, len(days)),
        np.nan,
        measured(truth).values.astype(np.float64),
    )
    influx, compared = np.full(len(grid), np.nan), []
    asked = grid.ask_day[grid.row_ask]
    for i, (zone, target) in enumerate(zip(grid.row_zone, grid.target_day, strict=True)):
        known = np.isfinite(ordinary[zone])
        same, like = known & (days % 7 == target % 7), known & days_like(target, days)
        recent = days[same & (days >= target - _RECENT_DAYS)][-_RECENT:]
        if like.sum() >= _LEAST:
            influx[i] = np.median(ordinary[zone][like])
            compared.append(days[like])
        elif len(recent):
            compared.append(recent)
        else:
            year = np.arange(asked[i] - _YEAR, asked[i], dtype=np.int64)
            compared.append(year[year % 7 == target % 7])
    return Usual(influx, tuple(compared))
