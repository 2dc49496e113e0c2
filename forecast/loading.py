"""A model read from its bundle as forecasting reads it, and seen to answer before it is trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forecast.errors import ModelError
from forecast.fitting import OWN_COLUMNS
from forecast.model import InfluxModel


def load_and_warm_up(folder: Path) -> InfluxModel:
    """Load a bundle as forecasting does, and make it answer one question without evidence.

    Raises
    ------
    ModelError
        If the answer is not a finite number.
    """
    model = InfluxModel.load(folder)
    table = np.full((1, len(model.columns) + len(OWN_COLUMNS)), np.nan, dtype=np.float32)
    if not np.isfinite(model.predict_table(table, np.ones(1))).all():
        raise ModelError(f"{folder}: the model answers a question with something else than numbers")
    return model
