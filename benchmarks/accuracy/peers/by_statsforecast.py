"""statsforecast: AutoETS, AutoARIMA and the naive season of each zone, with a weekly season.

AutoARIMA alone takes a calendar; it is asked about panels of one zone, since a fit takes it
seconds. Missing days are filled, see :meth:`benchmarks.accuracy.peers.task.Task.whole`.
"""

from __future__ import annotations

from importlib.metadata import version

import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoARIMA, AutoETS, SeasonalNaive

from benchmarks.accuracy.peers.task import DAY, ID, VALUE, Task, from_levels

NAME = f"statsforecast {version('statsforecast')}"
MODELS = {"AutoETS": AutoETS, "AutoARIMA": AutoARIMA, "SeasonalNaive": SeasonalNaive}
VARIANTS = tuple(MODELS)
YEARS = 2
"""Smoothing forgets: years of history it is fitted on."""
REGRESSORS = (
    "holiday",
    "eve",
    "after",
    "bridge",
    "run_length",
    "holiday_share",
    "school_share",
    "season_sin_1",
    "season_cos_1",
)


def forecast(task: Task, origin: pd.Timestamp, variant: str, past: pd.DataFrame) -> pd.DataFrame:
    """Answers at one origin; ``variant`` is a name of :data:`MODELS`."""
    whole = task.whole(origin)
    whole = whole[whole[DAY] > origin - pd.Timedelta(days=round(365.25 * YEARS))]
    columns, future = [ID, DAY, VALUE], None
    if variant == "AutoARIMA":
        # A column that repeats another, or never moves, has no coefficient of its own.
        varied = [n for n in REGRESSORS if n in whole and whole[n].max() > whole[n].min()]
        used = whole[varied].T.drop_duplicates().index.tolist()
        columns, future = [*columns, *used], task.future(origin)[[ID, DAY, *used]]
    engine = StatsForecast([MODELS[variant](season_length=7)], freq="D")
    rows = engine.forecast(df=whole[columns], X_df=future, h=task.horizon, level=[50, 80])
    return from_levels(rows, variant)
