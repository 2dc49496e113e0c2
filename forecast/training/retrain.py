"""Train: dataset, rolling-origin backtest, fit, MLflow run, candidate."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast import __version__
from forecast.config import RunConfig
from forecast.registry import Registry
from forecast.tracking import ModelVersion
from forecast.training.backtest import Backtest, fit, run_backtest
from forecast.training.baselines import BASELINES
from forecast.training.dataset import Dataset, make_dataset
from forecast.training.figures import draw
from forecast.training.metrics import table

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A candidate, and the backtest that says how good its recipe is."""

    version: ModelVersion
    backtest: Backtest
    figures: pd.DataFrame


def backtest(
    config: RunConfig, observations: pd.DataFrame, now: pd.Timestamp, say: Progress
) -> tuple[Dataset, Backtest, pd.DataFrame]:
    """Build the training set, replay its last year, and score it; nothing is stored."""
    say("features")
    data = make_dataset(config, observations, now)
    say(f"backtest of {int(data.test.sum()) // len(config.zones)} origins")
    found = run_backtest(data, say)
    return data, found, table(found.rows, found.quantiles, BASELINES)


def train(
    config: RunConfig,
    observations: pd.DataFrame,
    registry: Registry,
    *,
    lake_version: int,
    now: pd.Timestamp,
    say: Progress,
) -> Trained:
    """Backtest, fit on everything readable at ``now``, and register the candidate.

    Raises
    ------
    ModelError
        If there is too little history, or MLflow refuses.
    """
    data, found, scores = backtest(config, observations, now, say)
    say("fit")
    model = fit(data, now)
    model.calibration = found.calibration
    model.stamp = {
        "territory": config.id,
        "lake_version": lake_version,
        "code_version": __version__,
        "trained_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "simulated": config.simulated,
        "perfect_weather": config.training.perfect_weather,
        "training": config.training.model_dump(),
    }
    say("record")
    with tempfile.TemporaryDirectory() as scratch:
        bundle, pictures = Path(scratch) / "bundle", Path(scratch) / "figures"
        model.save(bundle)
        version = registry.log(
            bundle,
            params={
                **config.training.model_dump(),
                "quantiles": config.quantiles,
                "features": len(model.columns),
                "lake_version": lake_version,
            },
            metrics=_metrics(scores),
            tags={
                "territory": config.id,
                "lake_version": str(lake_version),
                "simulated": str(config.simulated).lower(),
                "perfect_weather": str(config.training.perfect_weather).lower(),
            },
            figures=draw(found, scores, model, config, pictures),
            tables={"backtest_scores": scores.reset_index(), "backtest_rows": found.rows},
        )
    return Trained(version, found, scores)


def _metrics(scores: pd.DataFrame) -> dict[str, float]:
    """Metrics by their MLflow name: ``wape``, ``wape/horizon/0–1 d``, ``wape/zone/200084952``."""
    answer = {}
    for row in scores.reset_index().to_dict("records"):
        group, name = row.pop("group"), row.pop("name")
        suffix = "" if group == "all" else f"/{group}/{name}"
        answer.update({f"{metric}{suffix}": float(value) for metric, value in row.items()})
    return answer
