"""The rules anyone could use without a model, and the linear one, answered as of the origin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forecast.analogue import analogue_days
from forecast.linear import CalendarRidge
from forecast.matrix import FeatureMatrix
from forecast.training.dataset import Dataset
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BASELINES = ("lag7", "lag364", "mean4", "analogue", "ridge")
"""Latest known same weekday; same weekday a year before; mean of the last four same weekdays; the
like day of the year before (as far from the same feast); a ridge regression on the calendar."""


def baseline_answers(
    matrix: FeatureMatrix,
    truth: Truth,
    data: Dataset,
    ridges: Sequence[CalendarRidge],
    fold: Ints,
) -> dict[str, Doubles]:
    """Influx by each of :data:`BASELINES` [visitors day⁻¹], shape (questions,).

    ``lag7`` is the newest day of the target's weekday readable at the origin: 7 days before for
    the first days, 14 for those after. Where ``lag364`` knows nothing it takes ``mean4``, and so do
    ``analogue`` (after ``lag364``) and ``ridge``. ``ridges`` are the calendar ridges of the
    folds' own models, ``fold`` is the fold of each question, −1 for those of none.
    """
    level = matrix.column("history_level").astype(np.float64)
    weeks = _last_weeks(matrix)
    known = np.isfinite(weeks)
    mean = np.where(known, weeks, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    mean4 = np.where(known.any(axis=0), mean, level)
    grid = matrix.grid
    first, last = int(grid.target_day.min()), int(grid.target_day.max())
    like = analogue_days(data.config.territory(), first, last - first + 1)
    year = _or(_on(truth, grid.row_zone, grid.target_day - 364), mean4)
    return {
        "lag7": np.where(known[0], weeks[0], mean4),
        "lag364": year,
        "mean4": mean4,
        "analogue": _or(
            _on(truth, grid.row_zone, like[grid.row_zone, grid.target_day - first]), year
        ),
        "ridge": _or(_ridge(matrix, level, data, ridges, fold), mean4),
    }


def _last_weeks(matrix: FeatureMatrix) -> Doubles:
    """The target's weekday in the last four weeks that are known, the latest first.

    Shape (4, questions); as it was told: who uses a rule does not ask whether a counter stood
    still.
    """
    grid, recent = matrix.grid, matrix.recent
    answer = np.full((4, len(grid)), np.nan)
    if recent is None:
        return answer
    newest = (grid.ask_day - np.isfinite(recent).argmax(axis=1))[grid.row_ask]
    last = newest - (newest - grid.target_day) % 7
    for k in range(4):
        age = grid.ask_day[grid.row_ask] - (last - 7 * k)
        inside = (age >= 0) & (age < recent.shape[1])
        answer[k, inside] = recent[grid.row_ask[inside], age[inside]]
    return answer


def _ridge(
    matrix: FeatureMatrix,
    level: Doubles,
    data: Dataset,
    ridges: Sequence[CalendarRidge],
    fold: Ints,
) -> Doubles:
    """The zone's recent level times the step the calendar suggests from there, by fold."""
    answer = np.full(len(matrix.grid), np.nan)
    asked = fold[matrix.grid.first_row[:-1]]
    for k, ridge in enumerate(ridges):
        part, rows = matrix.take(asked == k), (asked == k)[matrix.grid.row_ask]
        if rows.any():
            answer[rows] = level[rows] * np.exp(ridge.say(part, level[rows], data.daily)[0])
    return answer


def _on(truth: Truth, zone: npt.NDArray[np.int32], day: npt.NDArray[np.int32]) -> Doubles:
    """Influx of zones on days, shape (questions,), NaN where not known."""
    position = day - truth.first_day
    inside = (position >= 0) & (position < truth.values.shape[1])
    answer = np.full(len(day), np.nan)
    answer[inside] = truth.values[zone[inside], position[inside]]
    return answer


def _or(values: Doubles, otherwise: Doubles) -> Doubles:
    return np.where(np.isfinite(values), values, otherwise)
