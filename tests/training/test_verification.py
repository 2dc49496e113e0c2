"""Levels against what happened, worked out by hand and on the small estuary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.features import build
from forecast.features.base import Evidence
from forecast.grid import day_date, make_grid
from forecast.level_climatology import ALARMS
from forecast.training.backtest import Backtest, run_backtest
from forecast.training.dataset import VERIFIED_EVERY, Dataset
from forecast.training.verification import decision_rows, level_rows, verify
from forecast.truth import Truth, truth_at

FIRST = 19000


def truth(values: list[np.ndarray]) -> Truth:
    return Truth(FIRST, np.array(values, dtype=np.float32))


@pytest.fixture(scope="module")
def said(found: Backtest, data: Dataset) -> pd.DataFrame:
    known = [truth_at(data.evidence, cut) for cut in found.cuts]
    return level_rows(found.rows, known, data.config)


def test_thresholds_are_those_known_when_the_fold_began(
    said: pd.DataFrame, found: Backtest, data: Dataset
) -> None:
    assert len(said) == len(found.rows)
    per_fold = said.groupby(["zone_id", "fold"], observed=True)["limit_orange"]
    assert (per_fold.max() == per_fold.min()).all()
    later = found.cuts[-1] + pd.Timedelta(days=1)
    rows = data.evidence.observations
    changed = rows.assign(value=rows["value"].where(rows["available_at"] <= later, 0.0))
    evidence = Evidence(changed, data.config.territory())
    again = level_rows(found.rows, [truth_at(evidence, cut) for cut in found.cuts], data.config)
    pd.testing.assert_frame_equal(again, said)


def test_a_worse_level_is_rarer_and_less_likely(said: pd.DataFrame) -> None:
    for name in ("risk", "usual", "reached"):
        values = said[[f"{name}_{level}" for level in ALARMS]].to_numpy()
        assert (np.diff(values, axis=1) <= 1e-12).all()
        assert ((values >= 0) & (values <= 1)).all()


def test_a_zone_without_history_has_no_say(config: RunConfig) -> None:
    rows = pd.DataFrame(
        {
            "zone_id": [config.zones[0].id, config.zones[1].id],
            "target_date": day_date([FIRST + 400, FIRST + 400]),
            "influx": [500.0, 500.0],
            "fold": [0, 0],
            **{f"influx_p{q}": [400.0, 400.0] for q in (10, 25, 50, 75, 90)},
        }
    )
    short = np.where(np.arange(365) < 30, 100.0, np.nan)
    known = truth([np.arange(365.0), short, short])
    found = level_rows(rows, [known], config)
    assert found["reached_noir"].tolist()[0] == 1
    assert found[["limit_orange", "risk_orange", "usual_orange"]].iloc[1].isna().all()
    capacity = [zone.model_copy(update={"capacity": 450.0}) for zone in config.zones]
    given = level_rows(rows, [known], config.model_copy(update={"zones": tuple(capacity)}))
    assert given["limit_orange"].tolist() == [360.0, 360.0]
    assert given["reached_rouge"].tolist() == [1.0, 1.0]
    assert given["reached_noir"].tolist() == [0.0, 0.0]
    # Its capacity says where a level begins, but thirty days do not say how often that comes.
    assert given["usual_orange"].notna().tolist() == [True, False]
    assert given["risk_orange"].tolist()[1] == 1
    assert (
        verify(given.assign(horizon_days=3, origin=given["target_date"])).scores.loc[
            ("orange", "1–7 d"), "rows"
        ]
        == 1
    )


def answers(risk: list[float], reached: list[float]) -> pd.DataFrame:
    """Daily origins, asked three days ahead, of one zone; climatology says a quarter."""
    days = pd.date_range("2025-07-01", periods=len(risk))
    frame = {"zone_id": "coast", "horizon_days": 3, "target_date": days, "origin": days}
    for level in ALARMS:
        frame |= {f"limit_{level}": 1.0, f"risk_{level}": risk, f"reached_{level}": reached}
        frame |= {f"usual_{level}": 0.25}
    return pd.DataFrame(frame)


def test_brier_recall_and_false_alarms_by_hand() -> None:
    found = verify(answers([0.9, 0.6, 0.3, 0.0], [1.0, 0.0, 1.0, 0.0])).scores
    near, decision = found.loc[("orange", "1–7 d")], found.loc[("orange", "decision")]
    ours = (0.1**2 + 0.6**2 + 0.7**2 + 0) / 4
    theirs = (0.75**2 + 0.25**2) / 2
    assert (near["rows"], near["events"]) == (4, 2)
    assert near["brier"] == pytest.approx(ours)
    assert near["brier_climatology"] == pytest.approx(theirs)
    assert near["skill"] == pytest.approx(1 - ours / theirs)
    assert (decision["recall"], decision["false_alarms"]) == (0.5, 0.5)
    # From 0.3 on both peaks are found, with one false alarm in three.
    assert decision["best_from"] == pytest.approx(0.3)
    assert decision["best_recall"] == 1
    assert decision["best_false_alarms"] == pytest.approx(1 / 3)
    assert np.isnan(found.loc[("orange", "8–14 d"), "brier"])


def test_a_skill_is_as_sure_as_its_origins_agree() -> None:
    alike = verify(answers([0.5] * 12, [1.0] * 12)).scores.loc[("orange", "1–7 d")]
    assert alike["skill_low"] == pytest.approx(alike["skill"])
    assert alike["skill_high"] == pytest.approx(alike["skill"])
    # One peak foreseen and one that was not, among days of which the climatology says as much.
    few = verify(answers([0.9, 0.0] + [0.25] * 18, [1.0, 1.0] + [0.0] * 18)).scores
    near = few.loc[("orange", "1–7 d")]
    assert near["skill_low"] < 0 < near["skill"] < near["skill_high"]
    rare = answers([0.0] * 20, [1.0] + [0.0] * 19).assign(usual_orange=0.0)
    near = verify(rare).scores.loc[("orange", "1–7 d")]
    assert (near["skill_low"], near["skill_high"]) == (0, 0)
    short = verify(answers([0.9, 0.1] * 3, [1.0, 0.0] * 3)).scores.loc[("orange", "1–7 d")]
    assert short["skill"] > 0
    assert np.isnan(short["skill_low"])


def test_origins_that_speak_of_common_days_are_drawn_together() -> None:
    """Two weeks foreseen and two that were not: few cases, however many origins."""
    reached = ([1.0] * 7 + [0.0] * 7) * 2
    risk = reached[:14] + [0.6] * 14
    alone = answers(risk, reached)
    week = pd.concat([alone.assign(horizon_days=h) for h in range(1, 8)])
    one, seven = (verify(rows).scores.loc[("orange", "1–7 d")] for rows in (alone, week))
    assert seven["skill"] == pytest.approx(one["skill"])
    assert seven["skill_low"] < one["skill_low"] - 0.1
    assert seven["skill_high"] > one["skill_high"] + 0.1


def test_reliability_by_tenths() -> None:
    found = verify(answers([0.05, 0.07, 0.95, 1.0], [0.0, 1.0, 1.0, 1.0])).reliability
    orange = found[found["level"] == "orange"].set_index("tenth")
    assert orange["rows"].to_dict() == {0: 2, 9: 2}
    assert orange.loc[0, ["forecast", "frequency"]].tolist() == pytest.approx([0.06, 0.5])
    assert orange.loc[9, ["forecast", "frequency"]].tolist() == pytest.approx([0.975, 1.0])


def test_nothing_to_verify_is_not_an_error() -> None:
    empty = answers([0.1], [0.0]).assign(limit_orange=np.nan, usual_orange=np.nan)
    found = verify(empty).scores
    assert found.loc[("orange", "decision"), "events"] == 0
    assert np.isnan(found.loc[("orange", "decision"), "recall"])


def test_each_day_is_decided_upon_once(said: pd.DataFrame) -> None:
    """Weekly origins: the newest answer at least three days old, three to nine days ahead."""
    decided = decision_rows(said)
    assert not decided.duplicated(["zone_id", "target_date"]).any()
    assert decided["horizon_days"].min() == 3
    inner = decided[decided["target_date"] <= said["origin"].max().tz_localize(None)]
    assert set(inner["horizon_days"]) == set(range(3, 10)) | set(
        inner.loc[inner["target_date"] == inner["target_date"].min(), "horizon_days"]
    )
    assert set(decided["target_date"].dt.day_of_week) == set(range(7))


QUANTILES = ["influx_p10", "influx_p50", "influx_p90"]
KEYS = ["zone_id", "origin", "target_date"]


def test_levels_are_verified_every_second_day_by_the_answers_that_are_scored(
    data: Dataset, found: Backtest
) -> None:
    """Every weekday is asked about at every horizon; where both ask, both say the same."""
    rows = found.verified
    origins = rows["origin"].drop_duplicates().sort_values()
    local = origins.dt.tz_convert(data.config.timezone).dt.tz_localize(None)
    assert set(local.diff().dropna()) == {pd.Timedelta(days=VERIFIED_EVERY)}
    assert origins.min() >= data.first_test
    assert len(origins) * VERIFIED_EVERY >= data.config.training.backtest_days - 7
    for horizon in (1, 7):
        days = rows.loc[rows["horizon_days"] == horizon, "target_date"]
        assert set(days.dt.day_of_week) == set(range(7))
    both = rows.merge(found.rows, on=KEYS, suffixes=("", "_scored"))
    assert both["origin"].nunique() >= data.config.training.backtest_days // 14 - 1
    for name in [*QUANTILES, "influx", "fold"]:
        np.testing.assert_array_equal(both[name], both[f"{name}_scored"])


def test_nothing_is_learnt_from_what_verifies(data: Dataset, found: Backtest) -> None:
    few = data.verified.take(data.verified.grid.ask_origin == data.verified.grid.ask_origin.max())
    again = run_backtest(replace(data, verified=few))
    pd.testing.assert_frame_equal(again.rows, found.rows)
    assert len(again.verified["origin"].drop_duplicates()) == 1
    kept = found.verified.merge(again.verified[KEYS], on=KEYS)
    pd.testing.assert_frame_equal(kept[again.verified.columns], again.verified)


def test_what_verifies_is_asked_as_of_its_origin(data: Dataset) -> None:
    grid, territory = data.verified.grid, data.config.territory()
    instant = np.unique(grid.ask_origin)[1]
    origin = pd.Timestamp(int(instant), unit="us", tz="UTC")
    rows = data.evidence.observations
    readable = rows[rows["available_at"] <= origin]
    assert len(readable) < len(rows)
    asked = make_grid([origin], territory.zone_ids, range(15), data.config.timezone)
    alone = build(asked, Evidence(readable, territory))
    np.testing.assert_array_equal(
        alone.values, data.verified.take(grid.ask_origin == instant).values
    )
