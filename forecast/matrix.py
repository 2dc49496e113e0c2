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
    in for forecasts.
    """

    grid: Grid
    columns: tuple[str, ...]
    values: npt.NDArray[np.float32]
    perfect_weather: bool = False

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """One column; raise :class:`KeyError` if there is none of that name."""
        if name not in self.columns:
            raise KeyError(name)
        line: npt.NDArray[np.float32] = self.values[self.columns.index(name)]
        return line

    def take(self, asks: npt.NDArray[np.bool_]) -> FeatureMatrix:
        """The questions of the asks where the mask holds."""
        grid, rows = self.grid.take(asks)
        return FeatureMatrix(grid, self.columns, self.values[:, rows], self.perfect_weather)

    def frame(self) -> pd.DataFrame:
        """The ``feature matrix`` table: the grid's columns, then the features."""
        features = pd.DataFrame(self.values.T, columns=list(self.columns), copy=False)
        return pd.concat([self.grid.frame(), features], axis=1)
