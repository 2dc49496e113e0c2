"""A model that works out once what no what-if changes: calendar effects and recursive paths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from forecast.daily import Daily
from forecast.linear import CalendarRidge, Designs
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.recursive import Recursive

Doubles = npt.NDArray[np.float64]


def remembering(model: InfluxModel) -> InfluxModel:
    """The same model, for questions of one origin under many suppositions.

    What is supposed must change neither influx nor its recent days.
    """
    linear = model.linear
    return replace(
        model,
        linear=_KnownEffects(linear.zone_ids, linear.coefficients, linear.last_day),
        recursive=_KnownPaths(**vars(model.recursive)),
    )


class _KnownEffects(CalendarRidge):
    def effects(self, daily: Daily, terms: Designs | None = None) -> Doubles:
        """See :meth:`forecast.linear.CalendarRidge.effects`."""
        made: dict[tuple[int, bytes, bytes], Doubles] = self.__dict__.setdefault("made", {})
        key = (daily.first_day, daily.lines.tobytes(), daily.markets.tobytes())
        if key not in made:
            made[key] = super().effects(daily, terms)
        return made[key]


class _KnownPaths(Recursive):
    def paths(self, matrix: FeatureMatrix, daily: Daily, effects: Doubles, horizon: int) -> Doubles:
        """See :meth:`forecast.recursive.Recursive.paths`."""
        made: dict[tuple[int, int], Doubles] = self.__dict__.setdefault("made", {})
        grid = matrix.grid
        asks = list(zip(grid.ask_zone.tolist(), grid.ask_origin.tolist(), strict=True))
        if any(ask not in made or len(made[ask]) <= horizon for ask in asks):
            made.update(zip(asks, super().paths(matrix, daily, effects, horizon), strict=True))
        return np.array([made[ask][: horizon + 1] for ask in asks])
