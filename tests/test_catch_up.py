"""Catch-up days: the Saturday worked for a feast is looked up, and no other Saturday is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.catch_up import MEAN, CatchUp
from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.explanation import log_parts
from forecast.features import build
from forecast.features.base import sample_rows
from forecast.grid import Grid, day_number, make_grid
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.training.dataset import Dataset, make_dataset
from forecast.training.folds import fit

FIRST, LAST = (int(day) for day in day_number(["2021-06-01", "2025-01-31"]))
UNTIL = int(day_number(["2024-10-31"])[0])
THANKSGIVING = ["2021-11-27", "2022-11-26", "2023-11-25"]
NEXT = "2024-11-30"
"""The Saturdays after Thanksgiving; Memorial Day and the others change nothing here."""


def config_of(*zones: str) -> RunConfig:
    return RunConfig(
        id="essai",
        name="Essai",
        timezone="UTC",
        country="US",
        zones=[
            {"id": zone, "name": zone, "population": 100, "latitude": 30.3, "longitude": -97.7}
            for zone in zones
        ],
        training={"rounds": 12, "leaves": 7, "min_leaf": 10, "origin_stride_days": 7,
                  "backtest_days": 56, "refit_days": 56},
    )  # fmt: skip


def weighbridge(worked: list[str], last: int = UNTIL) -> np.ndarray:
    """Tonnes by day: 1 000 from Monday to Friday, twice as many in each later year.

    On Saturdays there is a clean-up of 20 and on the ``worked`` ones 900; Sundays have no rows.
    """
    day = np.arange(FIRST, LAST + 1)
    weekday = (day + 3) % 7
    growth = 2.0 ** ((day - FIRST) // 364)
    line = np.where(weekday < 5, 1000.0, np.where(weekday == 5, 20.0, np.nan)) * growth
    for date in day_number(worked):
        line[int(date) - FIRST] = 900.0 * growth[int(date) - FIRST]
    line[day > last] = np.nan
    return line


@pytest.fixture(scope="module")
def daily() -> Daily:
    return Daily.of(config_of("bridge").territory(), FIRST, LAST)


def asked(dates: list[str]) -> FeatureMatrix:
    """One question about each date, a week ahead, of a place of 700 tonnes a day."""
    origins = [pd.Timestamp(date, tz="UTC").as_unit("us") - pd.Timedelta(days=7) for date in dates]
    grid: Grid = make_grid(origins, ("bridge",), [7], "UTC")
    return FeatureMatrix(grid, (MEAN,), np.full((1, len(grid)), 700.0, dtype=np.float32))


def said(rules: CatchUp, daily: Daily, dates: list[str]) -> np.ndarray:
    matrix = asked(dates)
    return rules.told(matrix, daily, matrix.grid.row_zone.astype(np.int64)).median


def test_what_was_worked_twice_for_a_feast_is_worked_again(daily: Daily) -> None:
    """900 of a mean of 5 × 1 000 and 20 over six days with rows: 1.08 times the mean."""
    rules = CatchUp.fit(daily, weighbridge(THANKSGIVING)[None])
    np.testing.assert_allclose(said(rules, daily, [NEXT]), 700 * 900 / (5020 / 6), rtol=0.03)


def test_any_other_day_is_left_to_the_members(daily: Daily) -> None:
    rules = CatchUp.fit(daily, weighbridge(THANKSGIVING)[None])
    others = pd.date_range("2024-11-01", "2025-01-31").strftime("%Y-%m-%d").drop(NEXT)
    assert np.isnan(said(rules, daily, list(others))).all()
    quantiles, members = np.ones((1, 5)), np.ones((1, 5))
    matrix = asked(["2024-11-23"])
    told = rules.told(matrix, daily, matrix.grid.row_zone.astype(np.int64))
    for kept in told.instead((0.1, 0.25, 0.5, 0.75, 0.9), quantiles, members):
        np.testing.assert_array_equal(kept, 1.0)


@pytest.mark.parametrize(
    "worked",
    [
        pytest.param([], id="never"),
        pytest.param(THANKSGIVING[2:], id="once"),
        pytest.param(THANKSGIVING[:2], id="no longer"),
        pytest.param(["2023-09-16", "2024-09-14"], id="twice without a feast"),
    ],
)
def test_less_than_the_last_two_occasions_proves_nothing(daily: Daily, worked) -> None:
    assert not len(CatchUp.fit(daily, weighbridge(worked)[None]).rules)


def test_only_days_already_known_teach(daily: Daily) -> None:
    """The autumn of 2023 not yet known: the two before it are, and a third that came is not."""
    early = int(day_number(["2022-11-25"])[0])
    assert not len(CatchUp.fit(daily, weighbridge(THANKSGIVING, early)[None]).rules)
    later = weighbridge(THANKSGIVING, int(day_number(["2022-12-15"])[0]))
    assert len(CatchUp.fit(daily, later[None]).rules) == 1


def test_a_place_that_never_rests_has_none(daily: Daily) -> None:
    line = weighbridge(THANKSGIVING)
    saturdays = (np.arange(FIRST, LAST + 1) + 3) % 7 == 5
    line[saturdays] *= 30
    assert not len(CatchUp.fit(daily, line[None]).rules)
    assert not len(CatchUp.fit(daily, np.full((1, daily.days), np.nan)).rules)
    short = weighbridge(THANKSGIVING)
    short[: UNTIL - FIRST - 360] = np.nan
    assert not len(CatchUp.fit(daily, short[None]).rules)


def test_a_day_without_a_row_is_one_of_rest(daily: Daily) -> None:
    """A place that has no row on Saturdays at all, but those it worked."""
    line = weighbridge(THANKSGIVING)
    line[line < 100] = np.nan
    rules = CatchUp.fit(daily, line[None])
    assert np.isfinite(said(rules, daily, [NEXT])).all()


def test_zones_are_told_apart() -> None:
    config = config_of("shut", "bridge")
    both = Daily.of(config.territory(), FIRST, LAST)
    lines = np.stack([weighbridge([]), weighbridge(THANKSGIVING)])
    rules = CatchUp.fit(both, lines)
    origin = pd.Timestamp("2024-11-23", tz="UTC").as_unit("us")
    grid = make_grid([origin], ("shut", "bridge"), [7], "UTC")
    matrix = FeatureMatrix(grid, (MEAN,), np.full((1, len(grid)), 700.0, dtype=np.float32))
    told = rules.told(matrix, both, grid.row_zone.astype(np.int64))
    np.testing.assert_array_equal(np.isfinite(told.median), [False, True])
    assert not np.isfinite(rules.told(matrix, both, np.full(2, -1)).median).any()


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(2)
    line = weighbridge(THANKSGIVING) * np.exp(rng.normal(0, 0.05, LAST - FIRST + 1))
    known = line[: UNTIL - FIRST + 1]
    rows = sample_rows(
        "influx", "influx", known, zone_id="bridge", first="2021-06-01", delay_hours=24
    ).dropna(subset=["value"])
    now = pd.Timestamp("2024-11-01T12:00Z").as_unit("us")
    return make_dataset(config_of("bridge"), rows, now)


@pytest.fixture(scope="module")
def model(data: Dataset) -> InfluxModel:
    return fit(data, pd.Timestamp("2024-10-30T12:00Z"), threads=2)


@pytest.fixture(scope="module")
def questions(data: Dataset) -> FeatureMatrix:
    """About the week of Thanksgiving, by the features as the service builds them."""
    origin = pd.Timestamp("2024-11-19T06:00Z").as_unit("us")
    return build(make_grid([origin], ("bridge",), range(15), "UTC"), data.evidence)


def test_the_model_answers_with_it_and_keeps_it(model, data, questions, tmp_path) -> None:
    answer = model.predict(questions, data.daily)
    target = questions.grid.target_day == int(day_number([NEXT])[0])
    mean = questions.column(MEAN)[target].astype(np.float64)
    np.testing.assert_allclose(answer[target, 2], mean * 900 / (5020 / 6), rtol=0.1)
    saturday = questions.grid.target_day == int(day_number([NEXT])[0]) - 7
    assert (answer[saturday, -1] < 0.3 * mean).all()
    assert (np.diff(answer[target], axis=1) > 0).all()
    model.save(tmp_path / "bundle")
    again = InfluxModel.load(tmp_path / "bundle")
    np.testing.assert_array_equal(again.predict(questions, data.daily), answer)


def test_a_bundle_older_than_the_rules_is_read_without_them(model, data, questions) -> None:
    arrays = model.catch_up.arrays()
    np.testing.assert_array_equal(CatchUp.read(arrays).rules, model.catch_up.rules)
    old = replace(model, catch_up=CatchUp.read({}))
    target = questions.grid.target_day == int(day_number([NEXT])[0])
    assert (
        old.predict(questions, data.daily)[target, 2]
        < 0.5 * model.predict(questions, data.daily)[target, 2]
    )


def test_the_feast_is_why(model, data, questions) -> None:
    compared = [np.array([UNTIL - 7])] * len(questions.grid)
    logs = log_parts(model, questions, data.daily, compared)
    target = questions.grid.target_day == int(day_number([NEXT])[0])
    told = model.catch_up.told(questions, data.daily, questions.grid.row_zone.astype(np.int64))
    np.testing.assert_allclose(
        logs.level[target] * np.exp(logs.parts["holidays"][target]), told.median[target]
    )
    assert all((part[target] == 0).all() for k, part in logs.parts.items() if k != "holidays")
