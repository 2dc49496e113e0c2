"""What is to be known of the model that answers, as JSON values. Runs at publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from forecast.cells import HORIZON_GROUPS
from forecast.config import RunConfig
from forecast.tables import quantile_name
from forecast.track_record import BACKTEST, RULES

INTENDED_USE = (
    "To help the staff of a territory decide, days ahead, how many people to expect by zone and "
    "day: aggregates of visitors, never persons. Not meant for safety decisions on its own, for "
    "places smaller than a zone, or for days beyond the last horizon."
)
CODE_LICENCE = "Apache-2.0"
NO_BACKTEST = "the bundle was made before backtests were kept with it: train and promote again"
_STAMP = ("code_version", "territory", "lake_version", "simulated", "perfect_weather", "training")


def model_card(
    bundle: Mapping[str, Any],
    record: pd.DataFrame,
    config: RunConfig,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """The model and the figures of its backtest; ``bundle`` is the manifest of its bundle."""
    rows = record[record["basis"] == BACKTEST]
    return {
        "model": {
            "version": about["model_version"],
            "trained_at": about["model_trained_at"],
            **{name: bundle.get(name) for name in _STAMP},
            "quantiles": list(config.quantiles),
            "features": list(bundle.get("features", [])),
            "licence": CODE_LICENCE,
            "intended_use": INTENDED_USE,
        },
        "backtest": _backtest(rows, config) if len(rows) else None,
        "note": None if len(rows) else NO_BACKTEST,
    }


def _backtest(rows: pd.DataFrame, config: RunConfig) -> dict[str, Any]:
    """Figures over all horizons, then by group of them."""
    scores = [{"horizon": "all", **_figures(rows, config)}]
    for low, high in HORIZON_GROUPS:
        part = rows[rows["horizon_days"].between(low, high)]
        if len(part):
            last = min(high, int(rows["horizon_days"].max()))
            scores.append({"horizon": f"{low}–{last} d", **_figures(part, config)})
    return {
        "answers": len(rows),
        "origins": int(rows["origin"].nunique()),
        "start": f"{rows['target_date'].min():%Y-%m-%d}",
        "end": f"{rows['target_date'].max():%Y-%m-%d}",
        "scores": scores,
    }


def _figures(rows: pd.DataFrame, config: RunConfig) -> dict[str, Any]:
    """Shares of influx: errors and the width of the band; shares of answers: coverage."""
    known = rows.dropna(subset=["influx"])
    total = float(known["influx"].sum())
    answer: dict[str, Any] = {"answers": len(known)}
    if total <= 0:
        return answer | dict.fromkeys(_NAMES)
    said = {"wape": quantile_name(0.5), **{f"wape_{rule}": rule for rule in RULES}}
    for name, column in said.items():
        answer[name] = round(float((known["influx"] - known[column]).abs().sum()) / total, 4)
    for name, (low, high) in {"50": (0.25, 0.75), "80": (0.1, 0.9)}.items():
        answer[f"coverage_{name}"] = answer[f"width_{name}"] = None
        if {low, high} <= set(config.quantiles):
            below, above = known[quantile_name(low)], known[quantile_name(high)]
            held = known["influx"].between(below, above)
            answer[f"coverage_{name}"] = round(float(held.mean()), 4)
            answer[f"width_{name}"] = round(float((above - below).sum()) / total, 4)
    return answer


_NAMES = (
    "wape", *(f"wape_{rule}" for rule in RULES),
    "coverage_50", "width_50", "coverage_80", "width_80",
)  # fmt: skip
