"""The backtest's report: every figure a data scientist asks for, computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from forecast.config import RunConfig
from forecast.training.backtest import Backtest, run_backtest
from forecast.training.baselines import BASELINES
from forecast.training.dataset import Dataset, make_dataset
from forecast.training.metrics import cross_table, table
from forecast.training.verification import Verification, level_rows, verify
from forecast.truth import truth_at

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """A backtest and its figures.

    ``scores`` by (group, name), ``details`` by zone × horizon group × kind of day × regime,
    ``levels`` what the levels were worth, ``rows`` the answers with what the levels said, and
    ``verified`` those from which ``levels`` are worked out.
    """

    data: Dataset
    backtest: Backtest
    scores: pd.DataFrame
    details: pd.DataFrame
    rows: pd.DataFrame
    verified: pd.DataFrame
    levels: Verification

    def metrics(self) -> dict[str, float]:
        """By their MLflow name: ``wape``, ``wape/horizon/0–1 d``, ``levels/orange/1–7 d/skill``."""
        answer = {}
        for row in self.scores.reset_index().to_dict("records"):
            group, name = row.pop("group"), row.pop("name")
            suffix = "" if group == "all" else f"/{group}/{name}"
            answer.update({f"{metric}{suffix}": float(v) for metric, v in row.items()})
        for row in self.levels.scores.reset_index().to_dict("records"):
            prefix = f"levels/{row.pop('level')}/{row.pop('horizon')}"
            answer.update({f"{prefix}/{metric}": float(v) for metric, v in row.items()})
        return answer | {f"members/{name}/wape": v for name, v in self.members().items()}

    def members(self) -> dict[str, float]:
        """WAPE of each member of the blend alone [1], NaN where one had no answer."""
        influx = self.backtest.rows["influx"]
        errors = self.backtest.members.sub(influx, axis=0).abs().sum(skipna=False)
        return {str(name): float(error / influx.sum()) for name, error in errors.items()}

    def tables(self) -> dict[str, pd.DataFrame]:
        """What a run keeps as CSV, by name."""
        return {
            "backtest_scores": self.scores.reset_index(),
            "backtest_details": self.details,
            "backtest_rows": self.rows,
            "levels": self.levels.scores.reset_index(),
            "levels_rows": self.verified,
            "levels_reliability": self.levels.reliability,
            "levels_alarms": self.levels.alarms,
        }

    def tags(self, lake_version: int) -> dict[str, str]:
        """What tells this run from others."""
        config = self.data.config
        return {
            "territory": config.id,
            "lake_version": str(lake_version),
            "simulated": str(config.simulated).lower(),
            "perfect_weather": str(config.training.perfect_weather).lower(),
        }

    def params(self, lake_version: int) -> dict[str, object]:
        """What was asked for."""
        config = self.data.config
        return {
            **config.training.model_dump(),
            "quantiles": config.quantiles,
            "lake_version": lake_version,
        }


def backtest(
    config: RunConfig, observations: pd.DataFrame, now: pd.Timestamp, say: Progress
) -> Report:
    """Build the training set, replay its last year, and score it; nothing is stored."""
    say("features")
    data = make_dataset(config, observations, now)
    say(f"backtest of {int(data.test.sum()) // len(config.zones)} origins")
    found = run_backtest(data, say)
    known = [truth_at(data.evidence, cut) for cut in found.cuts]
    verified, silent = level_rows(found.verified, known, config), found.outages.values()
    return Report(
        data,
        found,
        table(found.rows, found.quantiles, BASELINES, silent),
        cross_table([found.rows, *silent], found.quantiles, BASELINES),
        level_rows(found.rows, known, config),
        verified,
        verify(verified),
    )
