"""How good a forecast was: error, calibration and sharpness, always beside the baselines.

WAPE is the sum of absolute errors over the sum of influx. MASE divides the mean absolute error by
that of "the same weekday a week before" on the days before the backtest, zone by zone (Hyndman and
Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001). Pinball is the mean over the quantiles of the
quantile loss, times two and over mean influx, so that for the median alone it would be the WAPE.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.calibration import HORIZON_GROUPS, KINDS, horizon_group
from forecast.tables import quantile_name

Doubles = npt.NDArray[np.float64]


def pinball(observed: Doubles, answers: Doubles, quantiles: Sequence[float]) -> float:
    """Mean quantile loss × 2 over mean influx; ``answers`` has shape (n, quantiles)."""
    levels = np.asarray(quantiles)
    short = observed[:, None] - answers
    return float(2 * np.maximum(levels * short, (levels - 1) * short).mean() / observed.mean())


def score(
    rows: pd.DataFrame, quantiles: Sequence[float], baselines: Sequence[str]
) -> dict[str, float]:
    """Figures of some rows of a backtest (see :mod:`forecast.training.backtest`).

    Baselines are scored on the same rows; where one has no answer (a first year has no year
    before it) it takes the mean of the last four same weekdays, as a person would.
    """
    observed = rows["influx"].to_numpy(np.float64)
    answers = rows[[quantile_name(q) for q in quantiles]].to_numpy(np.float64)
    median = answers[:, list(quantiles).index(0.5)]
    total = observed.sum()
    figures = {
        "rows": float(len(rows)),
        "wape": float(np.abs(observed - median).sum() / total),
        "mase": float((np.abs(observed - median) / rows["scale"]).mean()),
        "bias": float((median - observed).sum() / total),
        "pinball": pinball(observed, answers, quantiles),
    }
    for low in [q for q in quantiles if q < 0.5]:
        high = round(1 - low, 9)
        if high in quantiles:
            name = f"{round(100 * (high - low)):d}"
            below, above = (
                answers[:, list(quantiles).index(low)],
                answers[:, list(quantiles).index(high)],
            )
            figures[f"coverage_{name}"] = float(((observed >= below) & (observed <= above)).mean())
            figures[f"width_{name}"] = float((above - below).sum() / total)
    for name in baselines:
        figures[f"wape_{name}"] = float(np.abs(observed - rows[name]).sum() / total)
        figures[f"mase_{name}"] = float((np.abs(observed - rows[name]) / rows["scale"]).mean())
    return figures


def table(rows: pd.DataFrame, quantiles: Sequence[float], baselines: Sequence[str]) -> pd.DataFrame:
    """Figures for all rows, by horizon group, kind of day and zone; index (group, name)."""
    group = horizon_group(rows["horizon_days"].to_numpy())
    last = int(rows["horizon_days"].max())
    parts: dict[tuple[str, str], npt.NDArray[np.bool_]] = {
        ("all", "all"): np.ones(len(rows), dtype=bool)
    }
    for g, (low, high) in enumerate(HORIZON_GROUPS):
        parts["horizon", f"{low}–{min(high, last)} d"] = group == g
    for kind in KINDS:
        parts["day", kind] = (rows["kind"] == kind).to_numpy()
    parts["day", "weekend or run"] = (rows["kind"] != "weekday").to_numpy()
    for zone in rows["zone_id"].unique():
        parts["zone", str(zone)] = (rows["zone_id"] == zone).to_numpy()
    return pd.DataFrame(
        {
            key: score(rows[mask], quantiles, baselines)
            for key, mask in parts.items()
            if rows["influx"].to_numpy()[mask].sum() > 0
        }
    ).T.rename_axis(["group", "name"])
