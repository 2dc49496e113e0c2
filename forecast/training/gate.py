"""The gate: may a candidate take the champion's place?

Both answer the same last origins of the backtest, and neither was trained on them: the candidate is
a model of its recipe fitted when these days began, the champion is its own bundle if that is older
than they are, and otherwise a model of its recipe fitted at that same instant. Both are calibrated
alike, each half of the origins on the errors of the other half. Where there is no champion, the
rules anyone could use are the bar, on the answers of the backtest itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import Gate, RunConfig
from forecast.decision import Criterion, Decision
from forecast.levels import SHOWN_FROM
from forecast.tables import quantile_name
from forecast.training.backtest import Backtest
from forecast.training.baselines import BASELINES
from forecast.training.metrics import losses, score
from forecast.training.resampling import drawn, overlap
from forecast.training.verification import decision_rows, recall_and_false_alarms

Doubles = npt.NDArray[np.float64]

LINEAR = "ridge"
"""The baseline that has to be beaten whoever is champion."""

_RESAMPLES = 4000


@dataclass(frozen=True)
class Rivals:
    """The held-out rows as answered by both models, aligned, with ``risk_*`` of the levels."""

    candidate: pd.DataFrame
    champion: pd.DataFrame
    how: str


def held_out_rows(rows: pd.DataFrame, gate: Gate) -> pd.DataFrame:
    """The rows asked on the last ``gate.holdout_days`` days of origins."""
    first = rows["origin"].max() - pd.Timedelta(days=gate.holdout_days - 0.5)
    held: pd.DataFrame = rows[rows["origin"] > first]
    return held


def judge(
    found: Backtest,
    rows: pd.DataFrame,
    config: RunConfig,
    against: str | None = None,
    rivals: Rivals | None = None,
) -> Decision:
    """Decide about the recipe that a backtest replayed.

    Parameters
    ----------
    found
        The backtest of the candidate's recipe.
    rows
        Its rows with what the levels said (:func:`forecast.training.verification.level_rows`).
    config
        What was forecast, and the bounds of the gate.
    against, rivals
        The champion's version, and both models' answers on the held-out rows; None where there is
        no champion.
    """
    held = held_out_rows(rows, config.gate)
    asked = f"{held['origin'].nunique()} origins from {held['origin'].min():%Y-%m-%d}"
    if rivals is None:
        criteria = [*_not_worse_than_rules(held, config), _coverage(found, config)]
        how = "answers of the backtest, beside the baselines: there is no champion yet"
    else:
        criteria = [
            _pinball(rivals.candidate, rivals.champion, config),
            _coverage(found, config),
            _worst_zone(rivals, config),
            _peaks(rivals),
        ]
        how = rivals.how
    return Decision(against, f"{asked}: {how}", (*criteria, _linear(held, config)))


def _not_worse_than_rules(held: pd.DataFrame, config: RunConfig) -> Iterator[Criterion]:
    """WAPE and pinball against the best of the baselines, each a point taken for all quantiles."""
    found = score(held, config.quantiles, BASELINES)
    best = min(BASELINES, key=lambda name: found[f"wape_{name}"])
    theirs = found[f"wape_{best}"]
    yield _criterion("wape", found["wape"], theirs, f"below {best}", found["wape"] < theirs)
    points = {quantile_name(q): held[best] for q in config.quantiles}
    yield _pinball(held, held.assign(**points), config, f"than {best} ")


def _pinball(
    ours: pd.DataFrame, theirs: pd.DataFrame, config: RunConfig, than: str = ""
) -> Criterion:
    mine, other = _losses(ours, config), _losses(theirs, config)
    influx = float(ours["influx"].sum())
    block = overlap(config.max_horizon_days + 1, config.training.backtest_stride_days)
    chance = chance_not_worse((mine - other).groupby(ours["origin"]).sum().to_numpy(), block)
    return _criterion(
        "pinball",
        float(mine.sum()) / influx,
        float(other.sum()) / influx,
        f"not worse {than}at the level of {config.gate.significance:.0%} (p = {chance:.2f})",
        chance >= config.gate.significance,
    )


def _coverage(found: Backtest, config: RunConfig) -> Criterion:
    """Over the whole backtest: in twelve weeks, luck alone moves it by more than the bounds."""
    low, high = config.gate.coverage_low, config.gate.coverage_high
    share = score(found.rows, config.quantiles, ()).get("coverage_80")
    if share is None:
        return _criterion("coverage_80", None, None, "no interval of 80 % is forecast", True)
    bound = f"{low:.0%} to {high:.0%}, over the whole backtest"
    return _criterion("coverage_80", share, None, bound, low <= share <= high)


def _worst_zone(rivals: Rivals, config: RunConfig) -> Criterion:
    zone = rivals.candidate["zone_id"].astype(str)
    mine, other = (
        _losses(rows, config).groupby(zone.to_numpy()).sum()
        for rows in (rivals.candidate, rivals.champion)
    )
    ratio = (mine / other.where(other > 0)).fillna(1.0)
    worst, limit = str(ratio.idxmax()), 1 + config.gate.worst_zone
    name = next((z.name for z in config.zones if z.id == worst), worst)
    value = float(ratio.max())
    bound = f"pinball at most {limit:.2f} of the champion's in {name}"
    return _criterion("worst_zone", value, 1.0, bound, value <= limit)


def _peaks(rivals: Rivals) -> Criterion:
    """How many orange days were announced at least three days ahead, by the word shown."""
    mine, other = (
        recall_and_false_alarms(rows["risk_orange"] >= SHOWN_FROM, rows["reached_orange"])["recall"]
        for rows in (decision_rows(rivals.candidate), decision_rows(rivals.champion))
    )
    if not np.isfinite(mine):
        return _criterion("peak_recall", None, None, "no orange day among these", True)
    events = int(decision_rows(rivals.candidate)["reached_orange"].sum())
    bound = f"not lower, {events} orange days, three days ahead"
    return _criterion("peak_recall", mine, other, bound, mine >= other)


def _linear(held: pd.DataFrame, config: RunConfig) -> Criterion:
    found = score(held, config.quantiles, (LINEAR,))
    mine, other = found["wape"], found[f"wape_{LINEAR}"]
    return _criterion("linear_wape", mine, other, "below the calendar ridge", mine < other)


def _criterion(
    name: str, candidate: float | None, reference: float | None, bound: str, passed: bool
) -> Criterion:
    """With numbers of Python, which JSON knows."""
    figures = [None if figure is None else float(figure) for figure in (candidate, reference)]
    return Criterion(name, figures[0], figures[1], bound, bool(passed))


def _losses(rows: pd.DataFrame, config: RunConfig) -> pd.Series:
    answers = rows[[quantile_name(q) for q in config.quantiles]].to_numpy(np.float64)
    observed = rows["influx"].to_numpy(np.float64)
    return pd.Series(losses(observed, answers, config.quantiles), rows.index)


def chance_not_worse(differences: Doubles, block: int) -> float:
    """p-value of "not worse": how often a resampled mean difference is at most zero [1].

    ``differences`` are losses of the candidate less those of the champion, one for each origin in
    order, shape (origins,); ``block`` is how many in a row speak of common days.

    >>> chance_not_worse(np.array([1.0, 1.0, 1.0, 1.0]), 2)
    0.0
    >>> chance_not_worse(np.zeros(4), 2)
    1.0
    """
    means = differences[drawn(len(differences), block, _RESAMPLES)].mean(axis=1)
    return float((means <= 1e-12).mean())
