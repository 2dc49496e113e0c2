"""The backtest is honest: at each origin it knew what could be read then, and nothing more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.blending import MEMBERS
from forecast.config import RunConfig
from forecast.fitting import truth_lines
from forecast.grid import day_number
from forecast.linear import CalendarRidge
from forecast.tables import quantile_name
from forecast.training.backtest import Backtest, run_backtest
from forecast.training.baselines import BASELINES
from forecast.training.dataset import Dataset, make_dataset
from forecast.truth import truth_at

KEYS = ["zone_id", "origin", "target_date"]
ANSWERS = [quantile_name(q) for q in (0.1, 0.25, 0.5, 0.75, 0.9)]


def perturbed(observations: pd.DataFrame, after: pd.Timestamp, seed: int) -> pd.DataFrame:
    """The same rows, but all that became readable after an instant says something else."""
    changed = observations.copy()
    later = (changed["available_at"] > after).to_numpy()
    assert later.sum() > 1000
    noise = np.random.default_rng(seed).uniform(0.2, 5, later.sum())
    changed.loc[later, "value"] = changed.loc[later, "value"].abs() * noise + 1
    return changed


def test_every_origin_and_day_of_the_period_is_scored(found: Backtest, data: Dataset) -> None:
    rows, training = found.rows, data.config.training
    assert len(rows) == 3 * 15 * training.backtest_days // 7
    assert rows["origin"].min() == data.first_test
    assert set(rows["horizon_days"]) == set(range(15))
    assert not rows.duplicated(KEYS).any()
    assert rows[[*ANSWERS, *BASELINES, "influx", "scale"]].notna().all(axis=None)
    assert (np.diff(rows[ANSWERS].to_numpy(), axis=1) >= 0).all()
    assert found.simulated is data.config.simulated
    assert not found.perfect_weather


def test_folds_follow_one_another(found: Backtest, data: Dataset) -> None:
    span = found.rows.groupby("fold")["origin"].agg(["min", "max"])
    assert len(span) == 2
    assert span.index.min() > 0  # those before only calibrate
    assert span["max"].iloc[0] < span["min"].iloc[1]
    refit = pd.Timedelta(days=data.config.training.refit_days)
    local = span["min"].dt.tz_convert(data.config.timezone).dt.tz_localize(None)
    assert local.iloc[1] - local.iloc[0] == refit  # the clock changed in between
    assert span["min"].iloc[1] - span["min"].iloc[0] != refit


def test_nothing_readable_after_an_origin_changes_its_answer(
    found: Backtest, data: Dataset, observations: pd.DataFrame, now: pd.Timestamp
) -> None:
    """Model, features and band of the first scored origin, and what a baseline said."""
    cut = data.first_test
    changed = make_dataset(data.config, perturbed(observations, cut, 1), now)
    other = run_backtest(changed).rows
    first, same = (rows[rows["origin"] == cut].set_index(KEYS) for rows in (found.rows, other))
    assert len(first) == 3 * 15
    pd.testing.assert_frame_equal(first[[*ANSWERS, *BASELINES]], same[[*ANSWERS, *BASELINES]])
    # What came true did change, and so did the answers of later origins.
    assert (first["influx"] != same["influx"]).mean() > 0.9
    last = found.rows["origin"].max()
    later, moved = (rows[rows["origin"] == last].set_index(KEYS) for rows in (found.rows, other))
    assert (later["influx_p50"] != moved["influx_p50"]).mean() > 0.9


@pytest.fixture(scope="module")
def told_later(
    found: Backtest, data: Dataset, observations: pd.DataFrame, now: pd.Timestamp
) -> Backtest:
    """The same backtest, but for influx that became readable after the last fold began."""
    second = found.rows.loc[found.rows["fold"] == found.rows["fold"].max(), "origin"].min()
    influx = observations["source"] == "influx"
    changed = pd.concat([observations[~influx], perturbed_influx(observations[influx], second)])
    return run_backtest(make_dataset(data.config, changed, now))


def same_first_fold(rows: pd.DataFrame, other: pd.DataFrame) -> None:
    before, after = (
        table[table["fold"] == rows["fold"].min()].set_index(KEYS)[ANSWERS]
        for table in (rows, other)
    )
    assert len(before) > 100
    pd.testing.assert_frame_equal(before, after)


def test_the_band_of_a_fold_does_not_learn_from_its_own_days(
    found: Backtest, told_later: Backtest
) -> None:
    same_first_fold(found.rows, told_later.rows)


def perturbed_influx(influx: pd.DataFrame, after: pd.Timestamp) -> pd.DataFrame:
    later = influx["available_at"] > after
    assert later.sum() > 50
    return influx.assign(value=influx["value"].where(~later, influx["value"] * 3 + 10))


def reference(observations: pd.DataFrame, zone: str, origin: pd.Timestamp) -> pd.Series:
    """Influx of a zone by day, as an analyst would read it at an origin with pandas."""
    rows = observations[
        (observations["source"] == "influx")
        & (observations["zone_id"] == zone)
        & (observations["available_at"] <= origin)
    ]
    return rows.sort_values("available_at", kind="stable").groupby("date")["value"].last()


def test_baselines_are_those_of_a_spreadsheet(
    found: Backtest, observations: pd.DataFrame, now: pd.Timestamp
) -> None:
    some = found.rows.sample(60, random_state=4)
    for row in some.to_dict("records"):
        known = reference(observations, str(row["zone_id"]), row["origin"])
        whole = reference(observations, str(row["zone_id"]), now)
        same = known[known.index.day_of_week == row["target_date"].day_of_week].sort_index()
        newest = same.index[-1]
        weeks = [newest - pd.Timedelta(days=7 * k) for k in range(4)]
        weeks = [same[day] for day in weeks if day in same.index]
        assert row["lag7"] == pytest.approx(same.iloc[-1], rel=1e-5)
        assert row["mean4"] == pytest.approx(np.mean(weeks), rel=1e-5)
        year = row["target_date"] - pd.Timedelta(days=364)
        expected = whole[year] if year in whole.index else np.mean(weeks)
        assert row["lag364"] == pytest.approx(expected, rel=1e-5)


def test_what_came_true_and_the_denominator_of_mase(
    found: Backtest, data: Dataset, observations: pd.DataFrame, now: pd.Timestamp
) -> None:
    rows = found.rows
    first = pd.Timestamp(int(data.matrix.grid.ask_origin[data.test].min()), unit="us", tz="UTC")
    for zone, part in rows.groupby("zone_id", observed=True):
        line = reference(observations, str(zone), now)
        assert part["influx"].to_numpy() == pytest.approx(
            line.loc[part["target_date"]].to_numpy(), rel=1e-6
        )
        daily = line[line.index < first.tz_localize(None).normalize()].asfreq("D")
        scale = (daily - daily.shift(7)).abs().mean()
        assert part["scale"].eq(part["scale"].iloc[0]).all()
        assert part["scale"].iloc[0] == pytest.approx(scale, rel=1e-4)


def test_kinds_of_days(found: Backtest) -> None:
    kind = found.rows.drop_duplicates("target_date").set_index("target_date")["kind"]
    assert kind["2025-05-10"] == "holiday run"  # the Saturday after Thursday 8 May
    assert kind["2025-04-21"] == "holiday run"  # Easter Monday
    assert kind["2025-05-17"] == "weekend"
    assert kind["2025-05-14"] == "weekday"


def test_the_same_twice(found: Backtest, data: Dataset) -> None:
    pd.testing.assert_frame_equal(run_backtest(data).rows, found.rows)


def test_the_median_lies_among_what_the_members_said(found: Backtest) -> None:
    said, median = found.members, found.rows[quantile_name(0.5)]
    assert list(said) == ["boosters", *MEMBERS]
    assert len(said) == len(found.rows)
    assert said.notna().any().all()
    assert (median >= said.min(axis=1) * (1 - 1e-9)).all()
    assert (median <= said.max(axis=1) * (1 + 1e-9)).all()
    assert (said.max(axis=1) > 1.01 * said.min(axis=1)).mean() > 0.9


def test_progress_is_told_fold_by_fold(data: Dataset) -> None:
    training = data.config.training.model_copy(update={"rounds": 10, "leaves": 4})
    said: list[str] = []
    config: RunConfig = data.config.model_copy(update={"training": training})
    run_backtest(replace(data, config=config), said.append)
    assert sorted(text.split(",")[0] for text in said) == [f"fold {i}/4" for i in range(1, 5)]


def test_weather_that_nobody_forecast_is_marked(
    config: RunConfig, observations: pd.DataFrame, now: pd.Timestamp
) -> None:
    update = {"perfect_weather": True, "rounds": 10, "backtest_days": 28, "refit_days": 28}
    training = config.training.model_copy(update=update)
    data = make_dataset(config.model_copy(update={"training": training}), observations, now)
    assert run_backtest(data).perfect_weather
    sunshine, observed = data.matrix.column("weather_sunshine"), observations["source"] == "weather"
    ask = int(np.flatnonzero(data.test)[0])
    row = int(data.matrix.grid.first_row[ask]) + 9
    target = pd.Timestamp(int(data.matrix.grid.target_day[row]), unit="D")
    zone = data.matrix.grid.zone_ids[data.matrix.grid.row_zone[row]]
    rows = observations[observed & (observations["variable"] == "sunshine")]
    came = rows[(rows["zone_id"] == zone) & (rows["date"] == target)]["value"]
    assert sunshine[row] == pytest.approx(came.iloc[0])


def test_outages_are_scored_on_the_same_questions(found: Backtest, data: Dataset) -> None:
    assert set(found.outages) == {"influx", "mobility", "parking", "waste", "weather"}
    keys = [*KEYS, "influx", "kind", "scale", "fold"]
    for domain, rows in found.outages.items():
        assert set(rows["regime"]) == {f"without {domain}"}
        pd.testing.assert_frame_equal(rows[keys], found.rows[keys])
        assert (np.diff(rows[ANSWERS].to_numpy(), axis=1) >= 0).all()
        # Fifteen rounds of random cuts seldom meet a car park.
        least = 0.35 if domain == "parking" else 0.5
        assert (rows["influx_p50"] != found.rows["influx_p50"]).mean() > least
        # Only influx tells the baselines anything.
        same = [(rows[name] == found.rows[name]).all() for name in BASELINES]
        assert all(same) == (domain != "influx")
    assert len(found.cuts) == 4
    assert found.cuts[2] <= found.rows["origin"].min() < found.cuts[3]


def test_the_band_of_an_outage_is_calibrated_on_outages_of_earlier_folds(
    found: Backtest, told_later: Backtest
) -> None:
    for domain, rows in found.outages.items():
        same_first_fold(rows, told_later.outages[domain])


def test_the_linear_rule_is_fitted_as_of_the_fold(
    found: Backtest, data: Dataset, observations: pd.DataFrame
) -> None:
    """The level of the last six same weekdays, times the step the ridge sees from there."""
    assert (found.rows["ridge"] > 0).all()
    known = truth_at(data.evidence, found.cuts[2])
    newest = np.flatnonzero(np.isfinite(known.values).any(axis=0))[-1]
    ridge = CalendarRidge.fit(
        data.daily, truth_lines(known, data.daily), known.first_day + int(newest)
    )
    fold = found.rows[found.rows["fold"] == 2]
    asks = data.test & np.isin(
        data.matrix.grid.ask_origin, fold["origin"].unique().as_unit("us").asi8
    )
    matrix = data.matrix.take(asks)
    level = matrix.column("history_level").astype(np.float64)
    expected = level * np.exp(ridge.say(matrix, level, data.daily)[0])
    np.testing.assert_allclose(fold["ridge"], expected, rtol=1e-5)


def test_the_analogue_is_the_like_day_of_the_year_before(found: Backtest, data: Dataset) -> None:
    """Eight days before Ascension of 2025 is likened to eight days before that of 2024."""
    rows = found.rows[found.rows["target_date"] == "2025-05-21"].drop_duplicates("zone_id")
    truth = truth_at(data.evidence, data.now)
    (before,) = day_number(["2024-05-01"])
    expected = truth.values[:, before - truth.first_day]
    zones = dict(zip(data.matrix.grid.zone_ids, expected, strict=True))
    assert rows["analogue"].tolist() == pytest.approx([zones[z] for z in rows["zone_id"]])
    assert (rows["analogue"] != rows["lag364"]).all()
