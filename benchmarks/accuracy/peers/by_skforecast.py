"""skforecast: recursive LightGBM over all series, with four weeks of lags and the calendar.

Intervals are the library's conformal ones, from the errors of the origins before, as its guide
asks for (out-of-sample residuals).
"""

from __future__ import annotations

from importlib.metadata import version

import lightgbm as lgb
import pandas as pd
from skforecast.preprocessing import RollingFeatures
from skforecast.recursive import ForecasterRecursiveMultiSeries
from sklearn.preprocessing import StandardScaler

from benchmarks.accuracy.peers.task import DAY, ID, LIGHTGBM, VALUE, Task

NAME = f"skforecast {version('skforecast')}"
VARIANTS = ("gaps", "filled", "differenced")


def forecast(task: Task, origin: pd.Timestamp, variant: str, past: pd.DataFrame) -> pd.DataFrame:
    """Answers at one origin.

    ``gaps`` leaves days without a value empty, as LightGBM may, but for those just before the
    origin; the others fill them, and ``differenced`` forecasts the steps from day to day.
    ``past`` holds the answers of earlier origins, with what came true.
    """
    whole = task.whole(origin)
    if variant == "gaps":
        # A series that ends in a gap would not be forecast at all: the last gap stays filled.
        later = whole[::-1].groupby(ID)["weight"].cummax()[::-1]
        whole[VALUE] = whole[VALUE].where((whole["weight"] > 0) | (later == 0))
    series = {z: rows.set_index(DAY)[VALUE].asfreq("D") for z, rows in whole.groupby(ID)}
    exog = {z: rows.set_index(DAY)[task.columns].asfreq("D") for z, rows in whole.groupby(ID)}
    future = {
        zone: rows.set_index(DAY)[task.columns].asfreq("D")
        for zone, rows in task.future(origin).groupby(ID)
        if zone in series
    }
    model = ForecasterRecursiveMultiSeries(
        estimator=lgb.LGBMRegressor(**LIGHTGBM),
        lags=[*range(1, 15), 21, 28],
        window_features=RollingFeatures(stats=["mean", "mean"], window_sizes=[7, 28]),
        encoding="ordinal_category",
        transformer_series=StandardScaler(),
        differentiation=1 if variant == "differenced" else None,
        dropna_from_series=False,
    )
    model.fit(series, exog=exog, store_in_sample_residuals=past.empty, suppress_warnings=True)
    if not past.empty:
        by_zone = dict(list(past.groupby(ID)))
        model.set_out_sample_residuals(
            {zone: rows[VALUE].to_numpy() for zone, rows in by_zone.items() if zone in series},
            {zone: rows["q50"].to_numpy() for zone, rows in by_zone.items() if zone in series},
        )
    bands = {
        level: model.predict_interval(
            task.horizon,
            exog=future,
            method="conformal",
            interval=level,
            use_in_sample_residuals=past.empty,
            use_binned_residuals=True,
            suppress_warnings=True,
        )
        for level in (0.5, 0.8)
    }
    narrow, wide = bands[0.5], bands[0.8]
    return pd.DataFrame(
        {
            ID: wide["level"],
            DAY: wide.index,
            "q10": wide["lower_bound"],
            "q25": narrow["lower_bound"],
            "q50": wide["pred"],
            "q75": narrow["upper_bound"],
            "q90": wide["upper_bound"],
        }
    ).reset_index(drop=True)
