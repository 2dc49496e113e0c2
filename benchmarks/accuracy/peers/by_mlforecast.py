"""mlforecast: one LightGBM over all zones, with lags, rolling means and the calendar.

Intervals are the library's conformal ones. Filled days are in the lags and weigh nothing.
"""

from __future__ import annotations

from importlib.metadata import version

import lightgbm as lgb
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMean
from mlforecast.target_transforms import Differences, LocalStandardScaler
from mlforecast.utils import PredictionIntervals

from benchmarks.accuracy.peers.task import ID, LIGHTGBM, Task, from_levels

NAME = f"mlforecast {version('mlforecast')}"
VARIANTS = ("scaled", "differences", "direct")
WINDOWS = 10
"""Windows of the conformal intervals, a horizon each."""


def forecast(task: Task, origin: pd.Timestamp, variant: str, past: pd.DataFrame) -> pd.DataFrame:
    """Answers at one origin; ``variant`` is how the target is transformed, or ``direct``: scaled
    too, with one model per horizon instead of recursion."""
    fewer = {"n_estimators": 150, "learning_rate": 0.1} if variant == "direct" else {}
    booster = lgb.LGBMRegressor(**LIGHTGBM | fewer)
    model = MLForecast(
        {"lgb": booster},
        freq="D",
        lags=[1, 2, 3, 7, 14, 21, 28],
        lag_transforms={
            1: [RollingMean(7), RollingMean(28)],
            7: [RollingMean(7), RollingMean(28)],
        },
        target_transforms=[Differences([7]) if variant == "differences" else LocalStandardScaler()],
    )
    model.fit(
        task.whole(origin),
        static_features=[],
        weight_col="weight",
        max_horizon=task.horizon if variant == "direct" else None,
        prediction_intervals=PredictionIntervals(n_windows=WINDOWS, h=task.horizon),
    )
    future = task.future(origin)
    future = future[future[ID].isin(task.series[ID].unique())]
    return from_levels(model.predict(task.horizon, X_df=future, level=[50, 80]), "lgb")
