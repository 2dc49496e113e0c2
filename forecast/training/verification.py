"""Are the levels true? Their probabilities against what happened, and against the climatology.

Each answer, on an origin every second day (:mod:`.dataset`), is compared with the thresholds of its
zone as they were known when its fold began, never with the scored year's own. The Brier score is
the mean squared difference between the probability of a level "or worse" and what happened; its
skill is one minus the ratio to the score of the climatology: how often days of that weekday and
time of year had reached it in the zone by then (Brier 1950,
doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2). A peak is decided upon some days ahead: of
each day, the newest answer at least three days old counts, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.grid import day_number
from forecast.level_climatology import ALARMS, climatology, drawn_to_climatology, or_worse
from forecast.levels import SHOWN_FROM, probabilities, zone_limits
from forecast.tables import quantile_name
from forecast.training.resampling import drawn, overlap
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]

DECISION_DAYS = 3
"""How long before a day its staff is decided upon [d]."""

HORIZONS = {"1–7 d": (1, 7), "8–14 d": (8, 14)}
"""Horizons [d] whose probabilities are verified together."""

_MOST_FALSE = 0.5
_RESAMPLES, _LEAST_ORIGINS = 2000, 8
_MIDDLE = (0.05, 0.95)
"""Quantiles of the resampled skills that are given as its interval."""
_BINS = 10


@dataclass(frozen=True)
class Verification:
    """What the levels were worth.

    ``scores`` has one row for each level and horizons, ``reliability`` one for each level and
    tenth of probability, ``alarms`` one for each level and probability from which an alarm is
    given; see :func:`verify`.
    """

    scores: pd.DataFrame
    reliability: pd.DataFrame
    alarms: pd.DataFrame


def level_rows(rows: pd.DataFrame, known: Sequence[Truth], config: RunConfig) -> pd.DataFrame:
    """Add what the levels said to the rows of a backtest.

    ``known[k]`` is the influx as known when fold ``k`` began. For each level of :data:`ALARMS` the
    columns ``limit_<level>`` [visitors day⁻¹], ``risk_<level>`` (probability of that level or
    worse), ``usual_<level>`` (the same by climatology) and ``reached_<level>`` (0 or 1) are added,
    NaN in a zone that had no levels; the climatology also where too few days were known.
    """
    zone = pd.Index([z.id for z in config.zones]).get_indexer(pd.Index(rows["zone_id"].astype(str)))
    day = day_number(rows["target_date"]).astype(np.int64)
    fold = rows["fold"].to_numpy()
    limits, usual = (np.full((len(rows), len(ALARMS)), np.nan) for _ in range(2))
    for k in np.unique(fold):
        now, truth = fold == k, known[k]
        zone_limit = zone_limits(truth.values, config.levels, [z.capacity for z in config.zones])
        limits[now] = zone_limit[zone[now]]
        usual[now] = climatology(truth, zone_limit, zone[now], day[now])
    reached = (rows["influx"].to_numpy(np.float64)[:, None] >= limits).astype(np.float64)
    reached[np.isnan(limits)] = np.nan
    columns = {
        f"{name}_{level}": values[:, i]
        for name, values in (("limit", limits), ("usual", usual), ("reached", reached))
        for i, level in enumerate(ALARMS)
    }
    return with_risk(rows.assign(**columns), config.quantiles)


def with_risk(rows: pd.DataFrame, quantiles: Sequence[float]) -> pd.DataFrame:
    """Set ``risk_<level>`` from the quantiles, the limits and the climatology of each row."""
    limits, usual = (
        rows[[f"{name}_{level}" for level in ALARMS]].to_numpy(np.float64)
        for name in ("limit", "usual")
    )
    answers = rows[[quantile_name(q) for q in quantiles]].to_numpy(np.float64)
    risk = or_worse(drawn_to_climatology(probabilities(quantiles, answers, limits), usual))
    return rows.assign(**{f"risk_{level}": risk[:, i] for i, level in enumerate(ALARMS)})


def verify(rows: pd.DataFrame) -> Verification:
    """Score the levels over the rows of :func:`level_rows`.

    ``scores`` by (level, horizon): rows, events, ``brier``, ``brier_climatology``, ``skill`` [1]
    and between what it lies in nine of ten resamplings of the origins, ``skill_low`` and
    ``skill_high`` (:mod:`forecast.training.resampling`): few peaks prove little. On
    decision days only: ``recall`` (share of the peaks that were
    announced), ``false_alarms`` (share of the announcements that were none) by the word shown, and
    ``best_*``: the same for the probability that finds most peaks with at most one false alarm in
    two. ``reliability`` by level and tenth of probability: rows, mean ``forecast`` and
    ``frequency``. ``alarms`` by level and probability ``from`` which an alarm is given: ``recall``
    and ``false_alarms``. Figures without anything to be a share of are NaN.
    """
    rows = rows.dropna(subset=[f"usual_{level}" for level in ALARMS])
    decided = decision_rows(rows)
    scores, reliability, alarms = {}, [], []
    for level in ALARMS:
        curve = _alarms(decided, level)
        alarms.append(curve.assign(level=level))
        reliability.append(_reliability(rows, level).assign(level=level))
        for name, (low, high) in HORIZONS.items():
            part = rows[rows["horizon_days"].between(low, high)]
            scores[level, name] = _brier(part, level)
        word = decided[f"risk_{level}"] >= SHOWN_FROM
        decision = {"rows": float(len(decided)), "events": decided[f"reached_{level}"].sum()}
        decision |= recall_and_false_alarms(word, decided[f"reached_{level}"])
        allowed = curve[curve["false_alarms"] <= _MOST_FALSE].sort_values(["recall", "from"])
        for name in ("from", "recall", "false_alarms"):
            decision[f"best_{name}"] = allowed[name].iloc[-1] if len(allowed) else np.nan
        scores[level, "decision"] = decision
    table = pd.DataFrame(scores).T.rename_axis(["level", "horizon"])
    return Verification(table, pd.concat(reliability), pd.concat(alarms))


def decision_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each zone and day the newest answer at least :data:`DECISION_DAYS` old.

    With daily origins that is the answer three days ahead; with weekly ones an answer three to
    nine days ahead, so that no weekday is left out.
    """
    old = rows[rows["horizon_days"] >= DECISION_DAYS].sort_values("origin", kind="stable")
    return old.drop_duplicates(["zone_id", "target_date"], keep="last")


def recall_and_false_alarms(alarm: pd.Series, event: pd.Series) -> dict[str, float]:
    """Share of the events that were announced, and share of the alarms that were none [1].

    >>> recall_and_false_alarms(pd.Series([1, 1, 0, 0]) > 0, pd.Series([1.0, 0, 1, 0]))
    {'recall': 0.5, 'false_alarms': 0.5}
    """
    hits = float((alarm & (event > 0)).sum())
    events, given = float((event > 0).sum()), float(alarm.sum())
    return {
        "recall": hits / events if events else np.nan,
        "false_alarms": 1 - hits / given if given else np.nan,
    }


def _brier(rows: pd.DataFrame, level: str) -> dict[str, float]:
    event = rows[f"reached_{level}"]
    errors = pd.DataFrame(
        {name: (rows[f"{name}_{level}"] - event) ** 2 for name in ("risk", "usual")}
    )
    ours, theirs = errors.mean()
    low, high = np.nan, np.nan
    origins = errors.groupby(rows["origin"]).sum().to_numpy()
    if event.any() and len(origins) >= _LEAST_ORIGINS:
        stride = rows["origin"].drop_duplicates().sort_values().diff().dt.total_seconds().median()
        asked = rows["horizon_days"].max() - rows["horizon_days"].min() + 1
        block = overlap(int(asked), stride / 86_400)
        risk, usual = origins[drawn(len(origins), block, _RESAMPLES)].sum(axis=1).T
        # Draws in which the climatology never erred tell neither for nor against.
        lost = np.divide(risk, usual, out=np.ones_like(risk), where=usual > 0)
        low, high = np.quantile(1 - lost, _MIDDLE)
    return {
        "rows": float(len(rows)),
        "events": float(event.sum()),
        "brier": float(ours),
        "brier_climatology": float(theirs),
        "skill": float(1 - ours / theirs) if event.any() else np.nan,
        "skill_low": float(low),
        "skill_high": float(high),
    }


def _reliability(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    risk = rows[f"risk_{level}"]
    tenth = np.minimum((risk * _BINS).astype(int), _BINS - 1)
    found = pd.DataFrame({"tenth": tenth, "forecast": risk, "frequency": rows[f"reached_{level}"]})
    found = found.groupby("tenth").agg(
        rows=("forecast", "size"), forecast=("forecast", "mean"), frequency=("frequency", "mean")
    )
    return found.reset_index()


def _alarms(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    risk, event = rows[f"risk_{level}"], rows[f"reached_{level}"]
    curve = [
        {"from": start} | recall_and_false_alarms(risk >= start, event)
        for start in np.arange(0.05, 0.96, 0.05).round(2)
    ]
    return pd.DataFrame(curve)
