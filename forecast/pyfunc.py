"""How MLflow loads a bundle: for `mlflow models serve` and `mlflow.pyfunc.load_model`.

Afflux itself never loads a model this way. It is here so that a data scientist can take any
registered version into a notebook::

    model = mlflow.pyfunc.load_model("models:/influx-estuaire@champion")
    model.predict(matrix.frame())

The package must be installed there too; with the `mlflow` command say ``--env-manager local``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.errors import SchemaError
from forecast.fitting import LEVEL, OWN_COLUMNS
from forecast.loading import answer_table
from forecast.model import InfluxModel
from forecast.tables import quantile_name


@dataclass(frozen=True)
class QuantileModel:
    """A bundle as MLflow wants it: from a frame to a frame."""

    model: InfluxModel

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Quantiles of influx [visitors day⁻¹] for a feature matrix, one row per row.

        ``frame`` has ``zone_id``, ``horizon_days`` and every feature of the model, as
        ``FeatureMatrix.frame()`` gives them. What the linear partner says of the day
        (``model_linear_step`` and the drifts) is used if it is there; without it the partner counts
        as saying "as lately", which knows neither season nor feast, and the recursive members say
        nothing: for forecasts take :meth:`InfluxModel.predict`. ``params`` is not used.

        Raises
        ------
        SchemaError
            Naming the column that is missing.
        """
        missing = [name for name in ("zone_id", *self.model.columns) if name not in frame.columns]
        if missing:
            raise SchemaError(f"the frame lacks {missing[0]!r}, which the model reads")
        code = {zone: float(i) for i, zone in enumerate(self.model.zone_ids)}
        *said, zone = OWN_COLUMNS
        table = frame.assign(**{zone: frame["zone_id"].astype("str").map(code)})
        for name in set(said) - set(table.columns):
            table[name] = 0.0
        names = [*self.model.columns, *OWN_COLUMNS]
        answer = answer_table(
            self.model,
            table[names].to_numpy(dtype=np.float32),
            frame[LEVEL].to_numpy(dtype=np.float64),
        )
        columns = [quantile_name(q) for q in self.model.quantiles]
        return pd.DataFrame(answer, columns=columns, index=frame.index)


def _load_pyfunc(path: str) -> QuantileModel:
    return QuantileModel(InfluxModel.load(Path(path)))
