"""The training set: whose questions, asked when, from what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.errors import ModelError
from forecast.features import build
from forecast.features.base import Evidence
from forecast.grid import day_number, make_grid
from forecast.training.dataset import Dataset, make_dataset, origins_every, rehearsal_days
from forecast.training.rehearsal import OUTAGES, SHARES


def test_origins_are_at_the_same_local_hour_all_year(config: RunConfig) -> None:
    first, last = (int(day) for day in day_number(["2025-01-01", "2025-12-31"]))
    origins = origins_every(7, first, last, config)
    local = origins.tz_convert(config.timezone)
    assert set(local.strftime("%H:%M")) == {"08:00"}
    assert set(origins.strftime("%H:%M")) == {"06:00", "07:00"}
    assert local[-1].strftime("%Y-%m-%d") == "2025-12-31"
    assert len(origins) == 53
    assert (np.diff(local.tz_localize(None)) == pd.Timedelta(days=7)).all()


@pytest.mark.parametrize(("hour", "day"), [(2, "2025-03-30"), (2, "2025-10-26")])
def test_an_hour_that_does_not_exist_or_comes_twice_is_one_origin(
    config: RunConfig, hour: int, day: str
) -> None:
    training = config.training.model_copy(update={"origin_hour": hour})
    number = int(day_number([day])[0])
    origins = origins_every(
        1, number - 1, number + 1, config.model_copy(update={"training": training})
    )
    assert len(origins) == 3
    assert origins.is_unique


def test_the_backtest_asks_once_a_week_for_the_days_that_came_true(data: Dataset) -> None:
    grid, training = data.matrix.grid, data.config.training
    asked = np.unique(grid.ask_origin[data.test])
    assert set(np.diff(asked)) <= {int((7 * 24 + h) * 3600e6) for h in (-1, 0, 1)}
    newest = int(data.evidence.updates("influx", "influx").day.max())
    assert grid.target_day.max() >= newest
    last_ask = int(grid.ask_day[data.test].max())
    assert last_ask + data.config.max_horizon_days == newest
    scored = asked >= data.first_test.value // 1000
    assert scored.sum() == training.backtest_days // 7
    assert (~scored).sum() == rehearsal_days(training.refit_days) // 7 >= 12


def test_features_of_the_backtest_are_those_a_live_question_would_get(
    data: Dataset, observations: pd.DataFrame
) -> None:
    """The same call on what could be read at the origin, and nothing else in memory."""
    grid = data.matrix.grid
    for instant in np.unique(grid.ask_origin[data.test])[[0, -1]]:
        origin = pd.Timestamp(int(instant), unit="us", tz="UTC")
        readable = observations[observations["available_at"] <= origin]
        assert len(readable) < len(observations)
        territory = data.config.territory()
        alone = build(
            make_grid([origin], territory.zone_ids, range(15), data.config.timezone),
            Evidence(readable, territory),
        )
        among = data.matrix.take(data.test & (grid.ask_origin == instant))
        assert alone.columns == among.columns
        np.testing.assert_array_equal(alone.values, among.values)
        assert np.isfinite(alone.values).mean() > 0.8


def test_only_training_questions_rehearse_outages(data: Dataset) -> None:
    whole = build(data.matrix.grid, data.evidence)
    differs = (data.matrix.values != whole.values) & ~(
        np.isnan(data.matrix.values) & np.isnan(whole.values)
    )
    asks = np.unique(data.matrix.grid.row_ask[differs.any(axis=0)])
    assert not data.test[asks].any()
    expected = sum(SHARES[domain] * len(days) for domain, (_, days) in OUTAGES.items())
    assert len(asks) / data.train.sum() == pytest.approx(expected, abs=0.12)


def test_a_rehearsed_question_looks_as_if_the_source_had_been_late(data: Dataset) -> None:
    age = data.matrix.column("mobility_age")[data.train[data.matrix.grid.row_ask]]
    usual, late = (age < 3).mean(), ((age > 9) & (age < 13)).mean()
    assert usual > 0.85
    assert 0.01 < late < 0.10


def test_too_short_a_history_says_what_it_needs(
    config: RunConfig, observations: pd.DataFrame, now: pd.Timestamp
) -> None:
    recent = observations[observations["date"] >= pd.Timestamp("2025-01-15")]
    with pytest.raises(ModelError, match=r"influx is known for 13\d days.*lower training\."):
        make_dataset(config, recent, now)
    none = observations[observations["source"] != "influx"]
    with pytest.raises(ModelError, match=r"no influx of these zones.*afflux ingest"):
        make_dataset(config, none, now)


def test_training_may_start_late(
    config: RunConfig, observations: pd.DataFrame, now: pd.Timestamp
) -> None:
    training = config.training.model_copy(update={"start": "2024-03-01"})
    late = make_dataset(config.model_copy(update={"training": training}), observations, now)
    assert late.matrix.grid.ask_day.min() >= day_number(["2024-03-01"])[0]
