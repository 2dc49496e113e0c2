"""InfluxModel: one LightGBM booster per quantile over all zones and horizons, and its partner.

The target is influx over a level of the zone known at the origin (``history_level``), so that one
model serves zones of any size and trees need not extrapolate growth. Rows weigh as much as their
level, which makes the loss one of persons and not of ratios. The calendar ridge enters as a column,
fitted without the days it is shown on. Quantiles are put in order and shifted by a conformal
calibration. Nothing is pickled: LightGBM's text, JSON and npz, each with its SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from forecast import bundle
from forecast.calibration import HORIZON_GROUPS, Calibration
from forecast.daily import Daily
from forecast.errors import ModelError, ModelIntegrityError
from forecast.linear import CalendarRidge, cross_fitted_steps
from forecast.matrix import FeatureMatrix
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

LEVEL = "history_level"
OWN_COLUMNS = ("model_linear_step", "model_zone")
_MAX_RATIO = 20.0


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
        ``seed`` and ``threads`` (0: all cores);
        ``until_day`` is the day of the newest influx.

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
        lines = _truth_lines(truth, daily)
        linear = CalendarRidge.fit(daily, lines, until_day)
        steps = cross_fitted_steps(grid, matrix.column("history_age"), daily, lines, until_day)
        model = cls(
            tuple(quantiles),
            matrix.columns,
            grid.zone_ids,
            [],
            linear,
            _weekday_levels(truth, until_day),
            Calibration(np.zeros((len(HORIZON_GROUPS), len(quantiles)))),
            float(parameters["blend"]),
        )
        data = model._table(matrix, steps)[:, use].T
        dataset = lgb.Dataset(
            data,
            label=np.minimum(influx[use] / level[use], _MAX_RATIO),
            weight=level[use] / level[use].mean(),
            feature_name=[*matrix.columns, *OWN_COLUMNS],
            categorical_feature=["model_zone"],
            params={"max_bin": 63, "verbosity": -1},
            free_raw_data=True,
        )
        for quantile in quantiles:
            model.boosters.append(
                lgb.train(
                    {
                        "objective": "quantile",
                        "alpha": quantile,
                        "learning_rate": parameters["learning_rate"],
                        "num_leaves": parameters["leaves"],
                        "min_data_in_leaf": parameters["min_leaf"],
                        "lambda_l2": 10.0,
                        "feature_fraction": 0.5,
                        "bagging_fraction": 0.7,
                        "bagging_freq": 1,
                        "max_bin": 63,
                        "cat_smooth": 20,
                        "deterministic": True,
                        "force_row_wise": True,
                        "seed": parameters["seed"],
                        "num_threads": parameters["threads"],
                        "verbosity": -1,
                    },
                    dataset,
                    num_boost_round=parameters["rounds"],
                )
            )
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
        answer = self._raw(self._table(matrix, steps).T, self._level(matrix))
        return answer if raw else self.calibration.apply(answer, matrix.grid.horizon, stale)

    def predict_table(self, table: Floats, level: Doubles, horizon: npt.NDArray[Any]) -> Doubles:
        """Quantiles from a prepared table, shape (questions, columns and own columns).

        ``level`` [visitors day⁻¹] is the column :data:`LEVEL`, ``horizon`` is in days.
        """
        return self.calibration.apply(self._raw(table, level), horizon)

    def _raw(self, table: Floats, level: Doubles) -> Doubles:
        ratio = np.column_stack([booster.predict(table) for booster in self.boosters])
        if self.blend:
            step = np.nan_to_num(table[:, -2].astype(np.float64))
            median = np.maximum(ratio[:, [len(self.quantiles) // 2]], 1e-3)
            partner = np.exp(np.clip(step, -3.0, 3.0))[:, None]
            ratio = ratio * (partner / median) ** self.blend
        return np.asarray(np.maximum(np.sort(ratio, axis=1), 0.0) * level[:, None])

    def _table(self, matrix: FeatureMatrix, steps: Doubles) -> Floats:
        index = {zone: i for i, zone in enumerate(self.zone_ids)}
        code = np.array([index.get(z, -1) for z in matrix.grid.zone_ids] + [-1], dtype=np.float32)
        table = np.empty((len(self.columns) + 2, len(matrix.grid)), dtype=np.float32)
        for i, name in enumerate(self.columns):
            table[i] = matrix.column(name)
        table[-2] = steps
        table[-1] = code[matrix.grid.row_zone]
        table[-1][table[-1] < 0] = np.nan
        return table

    def _level(self, matrix: FeatureMatrix) -> Doubles:
        level = matrix.column(LEVEL).astype(np.float64)
        index = {zone: i for i, zone in enumerate(self.zone_ids)}
        zone = np.array([index.get(z, -1) for z in matrix.grid.zone_ids] + [-1])
        kept = np.vstack([self.levels, np.full(7, np.nan)])
        stored = kept[zone[matrix.grid.row_zone], matrix.grid.target_day % 7]
        return np.where(level > 0, level, stored)

    def save(self, folder: Path) -> None:
        """Write the bundle into ``folder``, which must not hold one already."""
        folder.mkdir(parents=True, exist_ok=True)
        for quantile, booster in zip(self.quantiles, self.boosters, strict=True):
            (folder / f"quantile_{quantile:g}.txt").write_text(
                booster.model_to_string(), encoding="utf-8"
            )
        np.savez(
            folder / "partner.npz",
            coefficients=self.linear.coefficients,
            levels=self.levels,
            shifts=self.calibration.shifts,
            **{f"shifts_{source}": shifts for source, shifts in self.calibration.stale.items()},
        )
        (folder / "features.json").write_text(
            json.dumps({"columns": self.columns, "zone_ids": self.zone_ids}), encoding="utf-8"
        )
        bundle.seal(
            folder,
            {
                **self.stamp,
                "features": list(self.columns),
                "quantiles": list(self.quantiles),
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
            See :func:`forecast.bundle.verify`.
        """
        manifest = bundle.verify(folder)
        try:
            names = json.loads((folder / "features.json").read_text(encoding="utf-8"))
            with np.load(folder / "partner.npz", allow_pickle=False) as arrays:
                linear = CalendarRidge(
                    tuple(names["zone_ids"]), arrays["coefficients"], manifest["linear_last_day"]
                )
                levels = arrays["levels"]
                calibration = Calibration(
                    arrays["shifts"],
                    {
                        name.removeprefix("shifts_"): arrays[name]
                        for name in arrays.files
                        if name.startswith("shifts_")
                    },
                )
            return cls(
                tuple(manifest["quantiles"]),
                tuple(names["columns"]),
                tuple(names["zone_ids"]),
                [
                    lgb.Booster(model_file=folder / f"quantile_{quantile:g}.txt")
                    for quantile in manifest["quantiles"]
                ],
                linear,
                levels,
                calibration,
                manifest["blend"],
                {
                    k: v
                    for k, v in manifest.items()
                    if k not in ("files", "linear_last_day", "blend")
                },
            )
        except (KeyError, ValueError, OSError, lgb.basic.LightGBMError) as error:
            raise ModelIntegrityError(f"{folder}: cannot be loaded: {error}") from error


def _truth_lines(truth: Truth, daily: Daily) -> Doubles:
    """Truth on the days of ``daily``, shape (zones, days), NaN outside."""
    lines = np.full((len(daily.zone_ids), daily.days), np.nan)
    start = truth.first_day - daily.first_day
    low, high = max(start, 0), min(start + truth.values.shape[1], daily.days)
    if high > low:
        lines[:, low:high] = truth.values[:, low - start : high - start]
    return lines


def _weekday_levels(truth: Truth, until_day: int) -> Doubles:
    """Median influx by weekday (days since 1970, modulo 7) over the last year of each zone."""
    day = truth.first_day + np.arange(truth.values.shape[1])
    levels = np.full((len(truth.values), 7), np.nan)
    for z, line in enumerate(truth.values):
        for w in range(7):
            known = line[(day % 7 == w) & np.isfinite(line) & (day > until_day - 364)]
            if len(known):
                levels[z, w] = np.median(known)
    return levels
