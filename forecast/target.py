"""What the boosters learn: the log of influx that the linear partners leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from forecast import trees
from forecast.catch_up import CatchUp
from forecast.cross_fitting import SHORT_DAYS, cross_fitted
from forecast.daily import Daily
from forecast.errors import ModelError
from forecast.fitting import LEVEL, truth_lines
from forecast.linear import CalendarRidge
from forecast.matrix import FeatureMatrix
from forecast.recursive import Recursive
from forecast.sky import SkyRidge, fit_sky
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]

_LEAST_RATIO, _MAX_RATIO = 0.01, 20.0
_LEAST_QUESTIONS = 200
_LEAST_WEIGHT = 0.3
"""Of the zone's mean weight [1], where only the boosters can know a day that is near empty."""
_BETTER, _NO_BETTER = 0.95, 1.0
"""Error of the partner over that of the level [1] at which it is trusted wholly, or not at all."""


@dataclass(frozen=True)
class Target:
    """The partners, fitted, and what each question teaches the boosters.

    ``use``, shape (questions,), marks the questions that can be learnt from. ``said``, shape
    (4, questions), is what partners that did not see the day say of it; ``left`` [log] and
    ``weight`` [visitors day⁻¹], shape (questions in use,), are what they leave of influx and what
    they expect, as far as they are trusted: ``trust``, shape (zones,), is 1 where they err at
    least a twentieth less than the zone's recent level does, and 0 where they err no less; 1 also
    where less than two years are known. ``parameters`` are those of boosters for so many questions.
    """

    linear: CalendarRidge
    recursive: Recursive
    sky: SkyRidge
    catch_up: CatchUp
    trust: Doubles
    use: npt.NDArray[np.bool_]
    said: Doubles
    left: Doubles
    weight: Doubles
    parameters: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        matrix: FeatureMatrix,
        truth: Truth,
        daily: Daily,
        until_day: int,
        parameters: Mapping[str, Any],
    ) -> Self:
        """Fit the partners on ``truth`` and see what they leave.

        ``parameters`` are those of ``InfluxModel.fit``.

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
        parameters = trees.finer(parameters, int(use.sum()))
        lines = truth_lines(truth, daily)
        linear = CalendarRidge.fit(daily, lines, until_day)
        said, unseen = cross_fitted(matrix, level, daily, lines, until_day)
        recursive = Recursive.fit(daily, lines, unseen, parameters)
        left = np.full(len(influx), np.nan)
        left[use] = np.log(np.clip(influx[use] / level[use], _LEAST_RATIO, _MAX_RATIO))
        left -= said[0]
        sky, steps = fit_sky(matrix, left)
        said[0] += steps
        zones, zone, step = len(matrix.grid.zone_ids), matrix.grid.row_zone[use], said[0, use]
        trust = _trust(zone, zones, influx[use], level[use], step)
        trust[_span(lines) < SHORT_DAYS] = 1.0
        start = trust[zone] * step
        weight = level[use] * np.exp(start)
        mean = np.bincount(zone, weight, zones) / np.maximum(np.bincount(zone, None, zones), 1)
        weight = np.maximum(weight, _LEAST_WEIGHT * ((1 - trust) * mean)[zone])
        left = (left - steps)[use] + step - start
        catch_up = CatchUp.fit(daily, lines)
        return cls(linear, recursive, sky, catch_up, trust, use, said, left, weight, parameters)


def _span(lines: Doubles) -> npt.NDArray[np.int64]:
    """Days from the first to the last known one of each line, shape (zones,)."""
    known = np.isfinite(lines)
    span = known.shape[1] - known.argmax(axis=1) - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), span, 0)


def _trust(
    zone: npt.NDArray[np.int32], zones: int, influx: Doubles, level: Doubles, step: Doubles
) -> Doubles:
    """How far the partner is trusted in each zone, 1 in one of which nothing is known."""
    partner = np.bincount(zone, np.abs(influx - level * np.exp(step)), zones)
    recent = np.bincount(zone, np.abs(influx - level), zones)
    ratio = np.divide(partner, recent, out=np.full(zones, _BETTER), where=recent > 0)
    return np.asarray(np.clip((_NO_BETTER - ratio) / (_NO_BETTER - _BETTER), 0.0, 1.0))
