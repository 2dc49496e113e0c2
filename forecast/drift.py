"""How far a zone has lately been from what its calendar says: the level of the linear partner.

A ridge on the calendar knows what a Saturday of August is worth and not whether this August is a
good one. The days known at the origin say it: each day's log influx less the effect of its own
calendar, averaged with weights that halve with age. All weekdays speak, holidays too, so the level
is that of last week and not that of the last six Saturdays; what one weekday has lately done beyond
the others is added, drawn towards nothing where few weeks speak for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecast.grid import Grid
from forecast.outliers import EMPTY, without_outliers

Doubles = npt.NDArray[np.float64]

RECENT_DAYS = 56
"""Days before the origin that are looked at [d]."""

_HALF_LIVES = (14.0, 3.0, 42.0)
_WEEKDAY_HALF_LIFE = 28.0
_WEEKDAY_SHRINKAGE = 3.0
_CLIP = 0.5


@dataclass(frozen=True)
class Drift:
    """Log influx beyond the calendar's effect, as known at each ask.

    ``level``, ``fast`` and ``slow`` have shape (asks,): means with half-lives of 14, 3 and 42 days.
    ``weekday``, shape (asks, 7), is what each weekday (days since 1970, modulo 7) adds to
    ``level``. Zero where nothing was known of the last 56 days.
    """

    level: Doubles
    fast: Doubles
    slow: Doubles
    weekday: Doubles


def drift_of(
    effects: Doubles, first_day: int, grid: Grid, recent: npt.NDArray[np.float32]
) -> Drift:
    """Drift of every ask of ``grid``.

    ``effects`` has shape (zones of the grid, days from ``first_day``); ``recent`` that of
    :attr:`forecast.matrix.FeatureMatrix.recent`.
    """
    age = np.arange(recent.shape[1])
    day = grid.ask_day[:, None].astype(np.int64) - age
    position = np.clip(day - first_day, 0, effects.shape[1] - 1)
    lines = np.vstack([effects, np.zeros(effects.shape[1])])
    said = lines[grid.ask_zone[:, None], position]
    known = np.isfinite(recent) & (recent > 0)
    left = np.where(known, np.log(np.where(known, recent, 1.0)) - said, np.nan)
    usual = np.log(np.exp(said).mean(axis=1, keepdims=True))
    full = said - usual >= np.log(EMPTY)
    left = np.nan_to_num(without_outliers(left[:, ::-1], full[:, ::-1])[:, ::-1])
    # Nor must days that are merely odd move the level: what is far from the middle counts less.
    middle = np.where(known.any(axis=1), _median(left, known), 0.0)[:, None]
    bounded = np.where(known, middle + np.clip(left - middle, -_CLIP, _CLIP), 0.0)
    # A person counts as a person: days that are always near empty say little of the level.
    persons = np.where(known, np.clip(np.exp(said - usual), 0.02, 2.0), 0.0)
    level, fast, slow = (_mean(bounded, persons * 0.5 ** (age / half)) for half in _HALF_LIVES)
    own = np.where(known, np.clip(left - level[:, None], -2 * _CLIP, 2 * _CLIP), 0.0)
    weight = known * 0.5 ** (age / _WEEKDAY_HALF_LIFE)
    weekday = np.empty((len(recent), 7))
    for w in range(7):
        chosen = np.where(day % 7 == w, weight, 0.0)
        weekday[:, w] = (chosen * own).sum(axis=1) / (chosen.sum(axis=1) + _WEEKDAY_SHRINKAGE)
    return Drift(level, fast, slow, weekday)


def _mean(values: Doubles, weight: Doubles) -> Doubles:
    total = weight.sum(axis=1)
    answer: Doubles = np.zeros(len(total))
    np.divide((weight * values).sum(axis=1), total, out=answer, where=total > 0)
    return answer


def _median(values: Doubles, known: npt.NDArray[np.bool_]) -> Doubles:
    """Median of the known values of each row; what rows without any get is not defined."""
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    count = np.maximum(known.sum(axis=1), 1)
    rows = np.arange(len(values))
    return np.asarray((ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2)
