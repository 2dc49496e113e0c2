"""InfluxModel: one LightGBM booster per quantile over all zones and horizons, and its partners.

Two ridges, of the calendar and of the forecast weather, say how far the target day lies, in log,
from a level of the zone known at the origin (``history_level``). The boosters learn what these
leave, from answers of ridges that had not seen the day, or what that level leaves where the ridges
err as much: one model serves zones of any size, and trees need not extrapolate growth. Rows weigh
what is expected: a loss of persons. Quantiles are drawn towards other members as past errors advise
and calibrated by conformal prediction; catch-up days and standstills are looked up by all members.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from forecast import fitting, model_files, trees
from forecast.bands import Bands
from forecast.blending import MEMBERS, Blend
from forecast.calibration import Calibration
from forecast.catch_up import CatchUp
from forecast.cells import Cells
from forecast.daily import Daily
from forecast.errors import ModelError, ModelIntegrityError
from forecast.linear import CalendarRidge
from forecast.matrix import FeatureMatrix
from forecast.recursive import KINDS, Recursive
from forecast.sky import SkyRidge, sky_terms
from forecast.standstill import Standstill, measured
from forecast.target import Target
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_STEP = -len(fitting.OWN_COLUMNS)


@dataclass
class InfluxModel:
    """Quantiles of influx for a feature matrix.

    ``columns`` are those it reads of the matrix, in order; ``trust``, shape (zones,), is how far
    boosters start from the partner's step; ``levels``, shape (zones, 7), is the level of a weekday
    where the matrix has none, so that a zone whose influx stopped is still answered; ``blend`` is
    how far the other members draw the answer; ``stamp`` says what it was trained on.
    """

    quantiles: tuple[float, ...]
    columns: tuple[str, ...]
    zone_ids: tuple[str, ...]
    boosters: list[trees.Booster]
    linear: CalendarRidge
    recursive: Recursive
    trust: Doubles
    levels: Doubles
    calibration: Calibration
    blend: Blend
    sky: SkyRidge = field(default_factory=SkyRidge.none)
    catch_up: CatchUp = field(default_factory=CatchUp.none)
    standstill: Standstill = field(default_factory=lambda: Standstill.none(0))
    stamp: dict[str, Any] = field(default_factory=dict)
    threads: int = 0

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
        Raises :class:`ModelError` if fewer than 200 questions can be used.
        """
        standstill, truth = Standstill.fit(truth), measured(truth)
        target = Target.of(matrix, truth, daily, until_day, parameters)
        model = cls(
            tuple(quantiles),
            fitting.trainable_columns(matrix),
            zones := matrix.grid.zone_ids,
            [],
            target.linear,
            target.recursive,
            target.trust,
            fitting.weekday_levels(truth, until_day),
            Calibration(Bands.none(quantiles, len(zones))),
            Blend.constant(float(parameters["blend"]), len(zones)),
            target.sky,
            target.catch_up,
            standstill,
            threads=int(parameters["threads"]),
        )
        table = fitting.model_table(matrix, model.columns, target.said, model._zones(matrix))
        model.boosters += trees.train(
            table[:, target.use].T,
            target.left,
            target.weight,
            [trees.direct(quantile, target.parameters) for quantile in quantiles],
            feature_name=[*model.columns, *fitting.OWN_COLUMNS],
        )
        return model

    def predict(
        self,
        matrix: FeatureMatrix,
        daily: Daily,
        stale: Collection[str] = (),
        dead: Collection[str] = (),
    ) -> Doubles:
        """Quantiles of influx [visitors day⁻¹], shape (questions, quantiles), in order, ≥ 0.

        NaN where a zone is neither known to the model nor has any history. ``stale`` names the
        sources late at the origin, ``dead`` those as late as rehearsed: see `Calibration.apply`.

        Raises
        ------
        ModelError
            If the matrix lacks a column the model was trained on.
        """
        blended = self.blend.apply(*self.members(matrix, daily), cells := self.cells(matrix))
        return self.calibration.apply(blended, cells, stale, dead)

    def members(self, matrix: FeatureMatrix, daily: Daily) -> tuple[Doubles, Doubles]:
        """What the boosters and the other members say [visitors day⁻¹], to be blended.

        Quantiles, shape (questions, quantiles), and influx by :data:`forecast.blending.MEMBERS`,
        shape (questions, members). Raises as :meth:`predict`.
        """
        if missing := [name for name in self.columns if name not in matrix.columns]:
            raise ModelError(f"the features lack {missing[0]!r}, on which the model was trained")
        if not len(matrix.grid):
            return np.empty((0, len(self.quantiles))), np.empty((0, len(MEMBERS)))
        effects = self.linear.effects(daily)
        said, zone = self.said(matrix, daily, effects), self._zones(matrix)
        table = fitting.model_table(matrix, self.columns, said, zone).T
        quantiles, others = self.raw(table, self.level(matrix))
        others[:, -len(KINDS) :] = self.recursive_said(matrix, daily, effects)
        told = self.catch_up.told(matrix, daily, zone)
        quantiles, others = told.instead(self.quantiles, quantiles, others)
        still, level = self.standstill.goes_on(matrix, zone), self.level(matrix)
        return self.standstill.instead(still, level, self.quantiles, quantiles, others)

    def said(self, matrix: FeatureMatrix, daily: Daily, effects: Doubles | None = None) -> Doubles:
        """What the partners say of each question: see ``CalendarRidge.say``; the sky's step too."""
        said = self.linear.say(matrix, self.level(matrix), daily, effects)
        said[0] += self.sky.steps(sky_terms(matrix), self._zones(matrix))
        return said

    def recursive_said(self, matrix: FeatureMatrix, daily: Daily, effects: Doubles) -> Doubles:
        """Influx by the recursive members [visitors day⁻¹], shape (questions, 2); the sky's too."""
        own = np.where(self.linear.own(daily)[:, None], effects, np.nan)
        sky = self.sky.steps(sky_terms(matrix), zone := self._zones(matrix))
        left = self.standstill.measured(matrix, zone)
        return np.exp(sky)[:, None] * self.recursive.answers(left, daily, own)

    def cells(self, matrix: FeatureMatrix) -> Cells:
        """What the blend and the calibration of each question depend on."""
        return fitting.matrix_cells(matrix, self._zones(matrix))

    def raw(self, table: Floats, level: Doubles) -> tuple[Doubles, Doubles]:
        """As :meth:`members`, of a prepared table; the recursive ones, which read days, are NaN.

        ``table`` has shape (questions, columns and own columns), ``level`` [visitors day⁻¹] is the
        column ``history_level``.
        """
        step = np.nan_to_num(table[:, _STEP].astype(np.float64))
        start = level * np.exp(fitting.trust_in(self.trust, fitting.table_zones(table)) * step)
        left = [trees.predict(booster, table, self.threads) for booster in self.boosters]
        quantiles = np.exp(np.sort(np.column_stack(left), axis=1)) * start[:, None]
        others = np.full((len(table), len(MEMBERS)), np.nan)
        others[:, :2] = np.column_stack([level * np.exp(step), level])
        return quantiles, others

    def _zones(self, matrix: FeatureMatrix) -> npt.NDArray[np.int64]:
        return fitting.zone_positions(self.zone_ids, matrix.grid)

    def level(self, matrix: FeatureMatrix) -> Doubles:
        """Level of each question's zone [visitors day⁻¹], NaN where nothing is known of it."""
        return fitting.level_of(matrix, self.levels, self._zones(matrix))

    def save(self, folder: Path) -> None:
        """Write the bundle into ``folder``, which must not hold one already."""
        model_files.write(
            folder,
            texts={
                model_files.booster(quantile): booster.model_to_string()
                for quantile, booster in zip(self.quantiles, self.boosters, strict=True)
            }
            | self.recursive.texts(),
            arrays={
                "coefficients": self.linear.coefficients,
                "sky": self.sky.coefficients,
                "trust": self.trust,
                "levels": self.levels,
                "blend": self.blend.shares,
            }
            | self.recursive.arrays()
            | self.catch_up.arrays()
            | self.standstill.arrays()
            | self.calibration.arrays(),
            facts={
                **self.stamp,
                "features": self.columns,
                "zone_ids": self.zone_ids,
                "quantiles": self.quantiles,
                "linear_last_day": self.linear.last_day,
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a bundle; a file that does not match its hash is refused.

        Raises as :func:`forecast.model_files.read`.
        """
        facts, texts, arrays = model_files.read(folder)
        try:
            zone_ids = tuple(facts["zone_ids"])
            return cls(
                tuple(facts["quantiles"]),
                tuple(facts["features"]),
                zone_ids,
                [trees.read(texts[model_files.booster(q)]) for q in facts["quantiles"]],
                CalendarRidge(zone_ids, arrays["coefficients"], facts["linear_last_day"]),
                Recursive.read(zone_ids, texts, arrays),
                arrays["trust"],
                arrays["levels"],
                Calibration.from_arrays(arrays),
                Blend(arrays["blend"]),
                SkyRidge(arrays["sky"]),
                CatchUp.read(arrays),
                Standstill.read(arrays, len(zone_ids)),
                {k: v for k, v in facts.items() if k not in _FACTS},
            )
        except (KeyError, ValueError, TypeError, ModelIntegrityError) as error:
            raise ModelIntegrityError(f"{folder}: cannot be loaded: {error}") from error


_FACTS = {"files", "features", "zone_ids", "quantiles", "linear_last_day"}
