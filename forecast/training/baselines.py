"""The rules anyone could use without a model, answered as of the origin like the model itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forecast.matrix import FeatureMatrix
from forecast.truth import Truth

BASELINES = ("lag7", "lag364", "mean4")
"""Latest known same weekday; same weekday a year before; mean of the last four same weekdays."""


def baseline_answers(matrix: FeatureMatrix, truth: Truth) -> dict[str, npt.NDArray[np.float64]]:
    """Influx by each of :data:`BASELINES` [visitors day⁻¹], shape (questions,).

    ``lag7`` is the newest day of the target's weekday readable at the origin: 7 days before for
    the first days, 14 for those after. Where ``lag364`` knows nothing it takes ``mean4``.
    """
    level = matrix.column("history_level").astype(np.float64)
    weeks = np.stack([matrix.column(f"history_weekday_{k}") for k in (1, 2, 3, 4)])
    known = np.isfinite(weeks)
    mean = np.where(known, weeks, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    mean4 = np.where(known.any(axis=0), mean, 1.0) * level
    grid = matrix.grid
    position = grid.target_day - 364 - truth.first_day
    inside = (position >= 0) & (position < truth.values.shape[1])
    year = np.full(len(grid), np.nan)
    year[inside] = truth.values[grid.row_zone[inside], position[inside]]
    return {
        "lag7": np.where(known[0], weeks[0] * level, mean4),
        "lag364": np.where(np.isfinite(year), year, mean4),
        "mean4": mean4,
    }
