"""Questions with their evidence: the feature matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.grid import Grid


@dataclass(frozen=True)
class FeatureMatrix:
    """Questions with their evidence.

    ``values`` has shape (columns, questions), float32, one contiguous line per column;
    ``columns[i]`` is ``<source>_<name>``. ``perfect_weather`` marks that observed weather stood
    in for forecasts. ``recent`` is influx on the local day of the origin and the days before it, as
    it was known at the origin [visitors day⁻¹], shape (asks, days); None where only some sources
    were asked.
    """

    grid: Grid
    columns: tuple[str, ...]
    values: npt.NDArray[np.float32]
    perfect_weather: bool = False
    recent: npt.NDArray[np.float32] | None = None

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """One column; raise :class:`KeyError` if there is none of that name."""
        if name not in self.columns:
            raise KeyError(name)
        line: npt.NDArray[np.float32] = self.values[self.columns.index(name)]
        return line

    def take(self, asks: npt.NDArray[np.bool_]) -> FeatureMatrix:
        """The questions of the asks where the mask holds."""
        grid, rows = self.grid.take(asks)
        recent = None if self.recent is None else self.recent[asks]
        return FeatureMatrix(grid, self.columns, self.values[:, rows], self.perfect_weather, recent)

    def frame(self) -> pd.DataFrame:
        """The ``feature matrix`` table: the grid's columns, then the features."""
        features = pd.DataFrame(self.values.T, columns=list(self.columns), copy=False)
        return pd.concat([self.grid.frame(), features], axis=1)
