"""InfluxModel: one LightGBM booster per quantile over all zones and horizons, and its partners.

The target is the log of influx over a level of the zone known at the origin (``history_level``), so
that one model serves zones of any size and trees need not extrapolate growth. Rows weigh as much as
their level, which makes the loss one of persons. Two ridges, of the calendar and of the forecast
weather, enter as a column, fitted without the days they are shown on. Quantiles are put in order
and shifted by a conformal calibration. Nothing is pickled: text, JSON and npz, each with its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from forecast import model_files
from forecast.calibration import Calibration, Cells, Shifts, day_kind, horizon_group
from forecast.daily import Daily
from forecast.errors import ModelError, ModelIntegrityError
from forecast.fitting import (
    LEVEL,
    OWN_COLUMNS,
    booster_parameters,
    model_table,
    trainable_columns,
    truth_lines,
    weekday_levels,
    zone_positions,
)
from forecast.linear import CalendarRidge, cross_fitted_steps
from forecast.matrix import FeatureMatrix
from forecast.sky import SkyRidge, fit_sky, sky_terms
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_LEAST_RATIO, _MAX_RATIO = 0.01, 20.0


@dataclass
class InfluxModel:
    """Quantiles of influx for a feature matrix.

    ``columns`` are the columns of the matrix it reads, in order; ``levels`` has shape (zones, 7),
    the level of each weekday where the matrix has none, so that a zone whose influx stopped
    arriving is still answered; ``blend`` (0 to 1) is how far the median is drawn, in proportion,
    towards what the calendar alone says; ``stamp`` says what it was trained on.
    """

    quantiles: tuple[float, ...]
    columns: tuple[str, ...]
    zone_ids: tuple[str, ...]
    boosters: list[lgb.Booster]
    linear: CalendarRidge
    levels: Doubles
    calibration: Calibration
    blend: float = 0.0
    sky: SkyRidge = field(default_factory=SkyRidge.none)
    stamp: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        matrix: FeatureMatrix,
        truth: Truth,
        daily: Daily,
        *,
        quantiles: Sequence[float],
        parameters: Mapping[str, Any],
        until_day: int,
    ) -> Self:
        """Fit on every question of ``matrix`` whose influx is known in ``truth``.

        ``parameters`` are ``rounds``, ``learning_rate``, ``leaves``, ``min_leaf``, ``blend``,
        ``seed`` and ``threads`` (0: all cores); ``until_day`` is the day of the newest influx.

        Raises
        ------
        ModelError
            If fewer than 200 questions can be used.
        """
        grid = matrix.grid
        influx, level = truth.of(grid), matrix.column(LEVEL).astype(np.float64)
        use = np.isfinite(influx) & (level > 0)
        if use.sum() < 200:
            raise ModelError(
                f"only {int(use.sum())} past questions have both a known influx and a history; "
                "at least 200 are needed: ingest a longer history of influx"
            )
        lines = truth_lines(truth, daily)
        linear = CalendarRidge.fit(daily, lines, until_day)
        steps = cross_fitted_steps(grid, matrix.column("history_age"), daily, lines, until_day)
        ratio = np.full(len(grid), np.nan)
        ratio[use] = np.clip(influx[use] / level[use], _LEAST_RATIO, _MAX_RATIO)
        sky, more = fit_sky(matrix, np.log(ratio) - steps)
        steps += more
        model = cls(
            tuple(quantiles),
            trainable_columns(matrix),
            grid.zone_ids,
            [],
            linear,
            weekday_levels(truth, until_day),
            Calibration(Shifts.none(len(quantiles), len(grid.zone_ids))),
            float(parameters["blend"]),
            sky,
        )
        dataset = lgb.Dataset(
            model._table(matrix, steps)[:, use].T,
            label=np.log(ratio[use]),
            weight=level[use] / level[use].mean(),
            feature_name=[*model.columns, *OWN_COLUMNS],
            categorical_feature=["model_zone"],
            params={"max_bin": 63, "verbosity": -1},
        )
        model.boosters += [
            lgb.train(booster_parameters(quantile, parameters), dataset, parameters["rounds"])
            for quantile in quantiles
        ]
        return model

    def predict(
        self, matrix: FeatureMatrix, daily: Daily, *, stale: Iterable[str] = (), raw: bool = False
    ) -> Doubles:
        """Quantiles of influx [visitors day⁻¹], shape (questions, quantiles), in order, ≥ 0.

        NaN where a zone is neither known to the model nor has any history. ``stale`` names the
        sources that were late at the origin: the band is then as wide as it was in the backtest
        when they were. ``raw`` leaves the calibration out.

        Raises
        ------
        ModelError
            If the matrix lacks a column the model was trained on.
        """
        missing = [name for name in self.columns if name not in matrix.columns]
        if missing:
            raise ModelError(f"the features lack {missing[0]!r}, on which the model was trained")
        if not len(matrix.grid):
            return np.empty((0, len(self.quantiles)))
        steps = self.linear.steps(matrix.grid, matrix.column("history_age"), daily)
        steps += self.sky.steps(sky_terms(matrix), self._zones(matrix))
        answer = self._raw(self._table(matrix, steps).T, self._level(matrix))
        return answer if raw else self.calibration.apply(answer, self.cells(matrix), stale)

    def cells(self, matrix: FeatureMatrix) -> Cells:
        """What the calibration of each question depends on."""
        return Cells(
            horizon_group(matrix.grid.horizon),
            day_kind(matrix.column("calendar_weekday"), matrix.column("calendar_run_length")),
            self._zones(matrix),
        )

    def predict_table(self, table: Floats, level: Doubles) -> Doubles:
        """Quantiles from a prepared table, shape (questions, columns and own columns).

        ``level`` [visitors day⁻¹] is the column :data:`LEVEL`. For whoever has the columns but no
        grid; every source counts as fresh.
        """
        weekday, run, horizon = (
            table[:, self.columns.index(f"calendar_{name}")]
            for name in ("weekday", "run_length", "horizon_days")
        )
        zone = np.nan_to_num(table[:, -1], nan=-1).astype(np.int64)
        cells = Cells(horizon_group(np.nan_to_num(horizon)), day_kind(weekday, run), zone)
        return self.calibration.apply(self._raw(table, level), cells)

    def _raw(self, table: Floats, level: Doubles) -> Doubles:
        ratio = np.exp(np.column_stack([booster.predict(table) for booster in self.boosters]))
        if self.blend:
            step = np.nan_to_num(table[:, -2].astype(np.float64))
            median = np.maximum(ratio[:, [len(self.quantiles) // 2]], 1e-3)
            partner = np.exp(np.clip(step, -3.0, 3.0))[:, None]
            ratio = ratio * (partner / median) ** self.blend
        return np.asarray(np.maximum(np.sort(ratio, axis=1), 0.0) * level[:, None])

    def _table(self, matrix: FeatureMatrix, steps: Doubles) -> Floats:
        return model_table(matrix, self.columns, steps, self._zones(matrix))

    def _zones(self, matrix: FeatureMatrix) -> npt.NDArray[np.int64]:
        return zone_positions(self.zone_ids, matrix.grid)

    def _level(self, matrix: FeatureMatrix) -> Doubles:
        level = matrix.column(LEVEL).astype(np.float64)
        kept = np.vstack([self.levels, np.full(7, np.nan)])
        return np.where(level > 0, level, kept[self._zones(matrix), matrix.grid.target_day % 7])

    def save(self, folder: Path) -> None:
        """Write the bundle into ``folder``, which must not hold one already."""
        model_files.write(
            folder,
            texts={
                _file(quantile): booster.model_to_string()
                for quantile, booster in zip(self.quantiles, self.boosters, strict=True)
            },
            arrays={
                "coefficients": self.linear.coefficients,
                "sky": self.sky.coefficients,
                "levels": self.levels,
                **self.calibration.arrays(),
            },
            facts={
                **self.stamp,
                "features": self.columns,
                "zone_ids": self.zone_ids,
                "quantiles": self.quantiles,
                "linear_last_day": self.linear.last_day,
                "blend": self.blend,
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a bundle; a file that does not match its hash is refused.

        Raises
        ------
        ModelIntegrityError, NoModelError
            See :func:`forecast.model_files.read`.
        """
        facts, texts, arrays = model_files.read(folder)
        try:
            zone_ids = tuple(facts["zone_ids"])
            return cls(
                tuple(facts["quantiles"]),
                tuple(facts["features"]),
                zone_ids,
                [lgb.Booster(model_str=texts[_file(q)]) for q in facts["quantiles"]],
                CalendarRidge(zone_ids, arrays["coefficients"], facts["linear_last_day"]),
                arrays["levels"],
                Calibration.from_arrays(arrays),
                facts["blend"],
                SkyRidge(arrays["sky"]),
                {k: v for k, v in facts.items() if k not in _FACTS},
            )
        except (KeyError, ValueError, TypeError, lgb.basic.LightGBMError) as error:
            raise ModelIntegrityError(f"{folder}: cannot be loaded: {error}") from error


_FACTS = {"files", "features", "zone_ids", "quantiles", "linear_last_day", "blend"}


def _file(quantile: float) -> str:
    return f"quantile_{quantile:g}.txt"
