"""Prophet: one model per zone with weekly and yearly terms, holidays and the calendar's columns.

Quantiles are those of its predictive samples. Days without a value are left out, as it likes.
"""

from __future__ import annotations

import logging
from importlib.metadata import version

import numpy as np
import pandas as pd
from prophet import Prophet

from benchmarks.accuracy.peers.task import DAY, ID, Task, column

NAME = f"Prophet {version('prophet')}"
VARIANTS = (
    "additive country",
    "multiplicative country",
    "additive feasts",
    "multiplicative feasts",
)
REGRESSORS = (
    "eve",
    "after",
    "bridge",
    "run_length",
    "holiday_share",
    "off_share",
    "school_home",
    "school_share",
)


def forecast(task: Task, origin: pd.Timestamp, variant: str, past: pd.DataFrame) -> pd.DataFrame:
    """Answers at one origin; ``variant`` is the mode of the seasons, and where holidays come from:
    the library's table of the country, or the almanac's feast and day within its run."""
    mode, feasts = variant.split()
    known, future = task.known(origin), dict(list(task.future(origin).groupby(ID)))
    found = [
        _zone(task, rows, future[zone], mode, feasts == "feasts")
        for zone, rows in known.groupby(ID)
    ]
    return pd.concat(found, ignore_index=True)


def _zone(
    task: Task, rows: pd.DataFrame, future: pd.DataFrame, mode: str, feasts: bool
) -> pd.DataFrame:
    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    np.random.seed(1)  # noqa: NPY002 - Prophet draws from the global generator
    days = pd.concat([rows, future])
    model = Prophet(
        weekly_seasonality=True,
        yearly_seasonality=True,
        daily_seasonality=False,
        seasonality_mode=mode,
        holidays=_feasts(days) if feasts else None,
        uncertainty_samples=500,
    )
    if not feasts:
        model.add_country_holidays(task.country)
    used = [name for name in REGRESSORS if name in rows and rows[name].max() > rows[name].min()]
    for name in used:
        model.add_regressor(name)
    model.fit(rows[[DAY, "y", *used]])
    samples = model.predictive_samples(future[[DAY, *used]])["yhat"]
    quantiles = np.quantile(samples, task.quantiles, axis=1)
    answers = {column(q): values for q, values in zip(task.quantiles, quantiles, strict=True)}
    return pd.DataFrame({ID: future[ID].to_numpy(), DAY: future[DAY].to_numpy(), **answers})


def _feasts(days: pd.DataFrame) -> pd.DataFrame:
    near = days[(days["feast"] > 0) & (days["run_length"] > 0)]
    names = "feast " + near["feast"].astype(int).astype(str)
    names += " day " + near["feast_offset"].astype(int).astype(str)
    return pd.DataFrame({"ds": near[DAY].to_numpy(), "holiday": names.to_numpy()}).drop_duplicates()
