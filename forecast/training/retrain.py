"""Train: dataset, rolling-origin backtest, levels, gate, fit, MLflow run, candidate."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast import __version__
from forecast.config import RunConfig
from forecast.decision import Criterion, Decision
from forecast.errors import ModelError
from forecast.registry import Registry
from forecast.track_record import backtest_record, write_record
from forecast.tracking import ModelVersion
from forecast.training.backtest import Backtest
from forecast.training.figures import draw, draw_importance
from forecast.training.folds import fit
from forecast.training.gate import held_out_rows, judge
from forecast.training.report import Progress, Report, backtest
from forecast.training.rivals import meet


@dataclass(frozen=True)
class Trained:
    """A candidate, the backtest that says how good its recipe is, and what the gate decided."""

    version: ModelVersion
    report: Report
    decision: Decision

    @property
    def backtest(self) -> Backtest:
        """See :class:`Report`."""
        return self.report.backtest

    @property
    def figures(self) -> pd.DataFrame:
        """Scores by (group, name)."""
        return self.report.scores


def record_backtest(report: Report, registry: Registry, lake_version: int) -> str:
    """Record a backtest as a run without a model; return the run's id."""
    config = report.data.config
    with tempfile.TemporaryDirectory() as scratch:
        return registry.record(
            params=report.params(lake_version),
            metrics=report.metrics(),
            tags=report.tags(lake_version) | {"kind": "backtest"},
            figures=draw(report.backtest, report.scores, report.levels, config, Path(scratch)),
            tables=report.tables(),
        )


def train(
    config: RunConfig,
    observations: pd.DataFrame,
    registry: Registry,
    *,
    lake_version: int,
    now: pd.Timestamp,
    say: Progress,
) -> Trained:
    """Backtest, judge, fit on everything readable at ``now``, and register the candidate.

    The same observations, configuration and ``now`` give the same bytes of model: ``now`` is what
    the bundle is stamped with, and MLflow alone knows when the work was done.

    Raises
    ------
    ModelError
        If there is too little history, or MLflow refuses.
    """
    report = backtest(config, observations, now, say)
    decision = decide(report, registry.reigning(), say)
    say("fit")
    model = fit(report.data, now)
    model.calibration, model.blend = report.backtest.calibration, report.backtest.blend
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
        write_record(backtest_record(report.rows, config.quantiles), bundle)
        model.save(bundle)  # which seals what is there: the record is hashed too
        figures = draw(report.backtest, report.scores, report.levels, config, pictures)
        version = registry.log(
            bundle,
            params=report.params(lake_version) | {"features": len(model.columns)},
            metrics=report.metrics(),
            tags=report.tags(lake_version) | {"kind": "training"},
            figures=figures | draw_importance(report.backtest, model, pictures),
            tables=report.tables(),
            decision=decision,
        )
    return Trained(version, report, decision)


def decide(report: Report, reigning: tuple[str, Path] | None, say: Progress) -> Decision:
    """What the gate says of the recipe of a backtest; ``reigning`` is the champion's bundle.

    A champion that cannot be read is a criterion that is not met: nobody knows what it was worth.
    """
    found, config = report.backtest, report.data.config
    if reigning is None:
        return judge(found, report.rows, config)
    version, bundle = reigning
    try:
        rivals = meet(report.data, held_out_rows(report.rows, config.gate), bundle, say)
    except ModelError as error:
        unread = Criterion("champion", None, None, f"must be readable: {str(error)[:200]}", False)
        alone = judge(found, report.rows, config)
        return Decision(version, alone.held_out, (unread, *alone.criteria))
    return judge(found, report.rows, config, version, rivals)
