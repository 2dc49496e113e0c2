"""How good a forecast was: error, calibration and sharpness, always beside the baselines.

WAPE is the sum of absolute errors over the sum of influx. MASE divides the mean absolute error by
that of "the same weekday a week before" on the days before the backtest, zone by zone (Hyndman and
Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001). Pinball is the mean over the quantiles of the
quantile loss, times two and over mean influx, so that for the median alone it would be the WAPE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.cells import HORIZON_GROUPS, KINDS, horizon_group
from forecast.tables import quantile_name

Doubles = npt.NDArray[np.float64]

BRIDGE = "bridge"
"""The kind of day reported apart from the other days of a holiday run."""

REPORTED_KINDS = (*KINDS, BRIDGE)


def regime_name(silent: str) -> str:
    """What the reports call the regime in which one domain is silent; none if empty.

    >>> regime_name(""), regime_name("parking")
    ('every source', 'without parking')
    """
    return f"without {silent}" if silent else "every source"


def losses(observed: Doubles, answers: Doubles, quantiles: Sequence[float]) -> Doubles:
    """Twice the quantile loss of each answer [unit of influx], its mean over the quantiles, (n,).

    ``answers`` has shape (n, quantiles).
    """
    levels = np.asarray(quantiles)
    short = observed[:, None] - answers
    return np.asarray(2 * np.maximum(levels * short, (levels - 1) * short).mean(axis=1))


def pinball(observed: Doubles, answers: Doubles, quantiles: Sequence[float]) -> float:
    """Mean quantile loss × 2 over mean influx; ``answers`` has shape (n, quantiles)."""
    return float(losses(observed, answers, quantiles).mean() / observed.mean())


def score(
    rows: pd.DataFrame, quantiles: Sequence[float], baselines: Sequence[str]
) -> dict[str, float]:
    """Figures of some rows of a backtest (see :mod:`forecast.training.backtest`).

    Baselines are scored on the same rows; where one has no answer (a first year has no year
    before it) it takes the mean of the last four same weekdays, as a person would.
    """
    whole = _figures(_terms(rows, quantiles, baselines).sum().to_frame().T)
    return {str(name): float(value) for name, value in whole.iloc[0].items()}


def table(
    rows: pd.DataFrame,
    quantiles: Sequence[float],
    baselines: Sequence[str],
    outages: Iterable[pd.DataFrame] = (),
) -> pd.DataFrame:
    """Figures for all rows, by horizon group, kind of day and zone; index (group, name).

    ``outages`` are the rows answered with a domain silent: with them, figures by regime too.
    """
    terms = _terms(rows, quantiles, baselines)
    kind, zone = rows["kind"].astype(str), rows["zone_id"].astype(str)
    parts = {
        "all": _sums(terms, pd.Series("all", rows.index), ["all"]),
        "horizon": _sums(terms, _horizons(rows), _group_names(rows)),
        "day": pd.concat(
            [
                _sums(terms, kind, REPORTED_KINDS),
                _sums(terms, kind.ne("weekday").map({True: "weekend or run"}), ["weekend or run"]),
            ]
        ),
        "zone": _sums(terms, zone, zone.unique()),
    }
    regimes = [rows, *outages]
    if len(regimes) > 1:
        parts["regime"] = pd.concat(
            [
                _sums(_terms(part, quantiles, baselines), part["regime"], part["regime"].unique())
                for part in regimes
            ]
        )
    return _figures(pd.concat(parts, names=["group", "name"]))


def cross_table(
    regimes: Iterable[pd.DataFrame], quantiles: Sequence[float], baselines: Sequence[str]
) -> pd.DataFrame:
    """Figures by zone × horizon group × kind of day × regime, one row for each that has any day."""
    parts = []
    for rows in regimes:
        terms = _terms(rows, quantiles, baselines)
        keys = {"zone_id": rows["zone_id"].astype(str), "horizon": _horizons(rows)}
        keys |= {"kind": rows["kind"], "regime": rows["regime"]}
        parts.append(terms.groupby([key.rename(name) for name, key in keys.items()]).sum())
    sums = pd.concat(parts)
    return _figures(sums[sums["influx"] > 0]).reset_index()


def _group_names(rows: pd.DataFrame) -> list[str]:
    """Names of the horizon groups, the last ending where the rows end."""
    last = int(rows["horizon_days"].max())
    return [f"{low}–{min(high, last)} d" for low, high in HORIZON_GROUPS]


def _horizons(rows: pd.DataFrame) -> pd.Series:
    """Name of the horizon group of each row."""
    group = horizon_group(rows["horizon_days"].to_numpy())
    return pd.Series(np.array(_group_names(rows), dtype=object)[group], rows.index)


def _terms(
    rows: pd.DataFrame, quantiles: Sequence[float], baselines: Sequence[str]
) -> pd.DataFrame:
    """What the figures are sums of, one row for each answer."""
    observed = rows["influx"].to_numpy(np.float64)
    answers = rows[[quantile_name(q) for q in quantiles]].to_numpy(np.float64)
    median, scale = answers[:, list(quantiles).index(0.5)], rows["scale"].to_numpy(np.float64)
    terms = {
        "rows": np.ones(len(rows)),
        "scaled_rows": np.isfinite(scale).astype(float),
        "influx": observed,
        "wape": np.abs(observed - median),
        "mase": np.abs(observed - median) / scale,
        "bias": median - observed,
        "pinball": losses(observed, answers, quantiles),
    }
    for low in [q for q in quantiles if q < 0.5]:
        high = round(1 - low, 9)
        if high in quantiles:
            name = f"{round(100 * (high - low)):d}"
            below, above = (answers[:, list(quantiles).index(q)] for q in (low, high))
            terms[f"coverage_{name}"] = ((observed >= below) & (observed <= above)).astype(float)
            terms[f"width_{name}"] = above - below
    for name in baselines:
        terms[f"wape_{name}"] = np.abs(observed - rows[name].to_numpy(np.float64))
        terms[f"mase_{name}"] = terms[f"wape_{name}"] / scale
    return pd.DataFrame(terms, index=rows.index)


def _sums(terms: pd.DataFrame, by: pd.Series, names: Iterable[str]) -> pd.DataFrame:
    """Sums of the terms of each name, in that order; those without any influx are left out."""
    sums = terms.groupby(by.to_numpy()).sum()
    kept = [name for name in names if name in sums.index]
    sums = sums.loc[kept]
    return sums[sums["influx"] > 0]


def _figures(sums: pd.DataFrame) -> pd.DataFrame:
    """Shares of influx, shares of rows and means over rows, from sums of terms."""
    answer = sums.drop(columns=["influx", "scaled_rows"])
    for name in answer.columns.drop("rows"):
        per = "influx"
        if name.startswith("coverage"):
            per = "rows"
        elif name.startswith("mase"):
            per = "scaled_rows"
        answer[name] = answer[name] / sums[per]
    return answer
