"""What the boosters learn: the log of influx that the linear partners leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from forecast.daily import Daily
from forecast.errors import ModelError
from forecast.fitting import LEVEL, truth_lines
from forecast.linear import CalendarRidge, cross_fitted
from forecast.matrix import FeatureMatrix
from forecast.sky import SkyRidge, fit_sky
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]

_LEAST_RATIO, _MAX_RATIO = 0.01, 20.0
_LEAST_QUESTIONS = 200


@dataclass(frozen=True)
class Target:
    """The partners, fitted, and what each question teaches the boosters.

    ``use``, shape (questions,), marks the questions that can be learnt from. ``said``, shape
    (4, questions), is what partners that did not see the day say of it; ``left`` [log] and
    ``weight`` [visitors day⁻¹], shape (questions in use,), are what they leave of influx and what
    they expect.
    """

    linear: CalendarRidge
    sky: SkyRidge
    use: npt.NDArray[np.bool_]
    said: Doubles
    left: Doubles
    weight: Doubles

    @classmethod
    def of(cls, matrix: FeatureMatrix, truth: Truth, daily: Daily, until_day: int) -> Self:
        """Fit the partners on ``truth`` and see what they leave.

        Raises
        ------
        ModelError
            If fewer than 200 questions can be used.
        """
        influx, level = truth.of(matrix.grid), matrix.column(LEVEL).astype(np.float64)
        use = np.isfinite(influx) & (level > 0)
        if use.sum() < _LEAST_QUESTIONS:
            raise ModelError(
                f"only {int(use.sum())} past questions have both a known influx and a history; "
                f"at least {_LEAST_QUESTIONS} are needed: ingest a longer history of influx"
            )
        lines = truth_lines(truth, daily)
        linear = CalendarRidge.fit(daily, lines, until_day)
        said = cross_fitted(matrix, level, daily, lines, until_day)
        left = np.full(len(influx), np.nan)
        left[use] = np.log(np.clip(influx[use] / level[use], _LEAST_RATIO, _MAX_RATIO))
        left -= said[0]
        sky, steps = fit_sky(matrix, left)
        said[0] += steps
        weight = level[use] * np.exp(said[0, use])
        return cls(linear, sky, use, said, (left - steps)[use], weight)
