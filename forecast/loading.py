"""A model read from its bundle as forecasting reads it, and seen to answer before it is trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from forecast.errors import ModelError
from forecast.fitting import OWN_COLUMNS, table_cells
from forecast.model import InfluxModel

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


def load_and_warm_up(folder: Path) -> InfluxModel:
    """Load a bundle as forecasting does, and make it answer one question without evidence.

    Raises
    ------
    ModelError
        If the answer is not a finite number.
    """
    model = InfluxModel.load(folder)
    table = np.full((1, len(model.columns) + len(OWN_COLUMNS)), np.nan, dtype=np.float32)
    if not np.isfinite(answer_table(model, table, np.ones(1))).all():
        raise ModelError(f"{folder}: the model answers a question with something else than numbers")
    return model


def answer_table(model: InfluxModel, table: Floats, level: Doubles) -> Doubles:
    """Quantiles from a prepared table, as ``InfluxModel.raw`` takes it, shape (n, quantiles).

    For whoever has the columns but no grid; every source counts as fresh.
    """
    cells = table_cells(model.columns, table)
    return model.calibration.apply(model.blend.apply(*model.raw(table, level), cells), cells)
