"""The recursive members: they follow a level that wanders, and say nothing of what is unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.drift import RECENT_DAYS
from forecast.grid import Grid, day_number, make_grid
from forecast.matrix import FeatureMatrix
from forecast.recursive import INFLUX, LEFT, Recursive

FIRST, LAST = (int(day) for day in day_number(["2022-01-01", "2025-06-30"]))
UNTIL = int(day_number(["2024-06-30"])[0])
ZONES = ("gate", "weighbridge", "new")
PARAMETERS = {"rounds": 60, "learning_rate": 0.1, "seed": 1, "threads": 2}
HORIZON = 14


@pytest.fixture(scope="module")
def daily() -> Daily:
    zones = [
        {"id": name, "name": name, "population": 100, "latitude": 49.4, "longitude": 0.1}
        for name in ZONES
    ]
    config = RunConfig(id="essai", name="Essai", school="Zone B", zones=zones)
    return Daily.of(config.territory(), FIRST, LAST)


@pytest.fixture(scope="module")
def effects(daily: Daily) -> np.ndarray:
    """What the calendar says of log influx: Saturdays half as much again."""
    line = 0.4 * (daily.column("weekday", 0) == 5)
    return np.stack([np.log(1000.0) + line, np.log(50.0) + line, np.full(daily.days, np.nan)])


@pytest.fixture(scope="module")
def influx(daily: Daily, effects: np.ndarray) -> np.ndarray:
    """A gate whose level wanders, a weighbridge closed on Sundays, a zone known for three weeks."""
    rng = np.random.default_rng(3)
    steps, noise = rng.normal(0, 0.08, daily.days), rng.normal(0, 0.02, (2, daily.days))
    wander = np.zeros(daily.days)
    for i in range(1, daily.days):
        wander[i] = 0.97 * wander[i - 1] + steps[i]
    lines = np.full((3, daily.days), np.nan)
    lines[0] = np.exp(effects[0] + wander + noise[0])
    lines[1] = np.exp(effects[1] + noise[1])
    lines[1, daily.column("weekday", 0) == 6] = np.nan
    lines[2, UNTIL - FIRST - 20 : UNTIL - FIRST] = 300.0
    return lines


@pytest.fixture(scope="module")
def members(daily: Daily, influx: np.ndarray, effects: np.ndarray) -> Recursive:
    return fitted(daily, influx, effects)


def fitted(daily: Daily, influx: np.ndarray, effects: np.ndarray) -> Recursive:
    seen = influx.copy()
    seen[:, UNTIL - FIRST + 1 :] = np.nan
    return Recursive.fit(daily, seen, effects, PARAMETERS)


def grid_of(zones: tuple[str, ...] = ZONES, weeks: int = 50) -> Grid:
    first = pd.Timestamp("2024-07-07T06:00Z").as_unit("us")
    origins = [first + pd.Timedelta(days=7 * i) for i in range(weeks)]
    return make_grid(origins, zones, range(1, HORIZON + 1), "UTC")


def asked(grid: Grid, influx: np.ndarray, late: int = 1) -> FeatureMatrix:
    """Questions, the last ``late`` days before each origin not yet known."""
    ages = np.arange(RECENT_DAYS)
    recent = influx[grid.ask_zone[:, None], grid.ask_day[:, None] - ages - FIRST]
    recent = np.where(ages < late, np.nan, recent).astype(np.float32)
    none = np.empty((0, len(grid)), dtype=np.float32)
    return FeatureMatrix(grid, (), none, recent=recent)


def truth(grid: Grid, influx: np.ndarray) -> np.ndarray:
    return influx[grid.row_zone, grid.target_day - FIRST]


@pytest.mark.parametrize("member", [LEFT, INFLUX])
def test_a_level_that_wanders_is_followed(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray, member: int
) -> None:
    """Better than the last same weekday, and than the calendar with the mean of four weeks."""
    grid = grid_of()
    matrix = asked(grid, influx)
    said = members.answers(matrix, daily, effects)[:, member]
    rows = (grid.row_zone == 0) & (grid.horizon <= 2)
    came = truth(grid, influx)
    place = grid.target_day - FIRST
    lag = influx[grid.row_zone, place - 7]
    beyond = np.log(influx[0]) - effects[0]
    month = np.array([beyond[d - 28 : d].mean() for d in grid.ask_day[grid.row_ask] - FIRST])
    mean = np.exp(effects[0, place] + month)
    errors = [np.abs(line - came)[rows].mean() for line in (said, lag, mean)]
    assert errors[0] < 0.9 * min(errors[1:])


def test_a_place_that_is_closed_on_sundays_is_known_on_mondays(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    """A Sunday that is forecast and never comes must not be the yesterday of a Monday."""
    grid = grid_of()
    said = members.answers(asked(grid, influx), daily, effects)
    came = truth(grid, influx)
    rows = (grid.row_zone == 1) & np.isfinite(came)
    assert rows.sum() > 200
    assert (np.abs(np.log(said[rows] / came[rows, None])).mean(axis=0) < 0.06).all()


def test_a_day_of_storm_does_not_hang_over_the_next(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    """The newest day a tenth of what it was is no worse than one that is not yet known."""
    grid = grid_of(ZONES[:1])
    calm = asked(grid, influx)
    recent = calm.recent.copy()
    recent[:, 1] /= 10
    came = truth(grid, influx)[:, None]
    stormy, unknown = (
        np.abs(members.answers(matrix, daily, effects) - came).mean(axis=0)
        for matrix in (replace(calm, recent=recent), asked(grid, influx, 2))
    )
    assert (stormy < 1.1 * unknown).all()


def test_days_not_yet_known_are_gone_through_too(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    grid = grid_of()
    came, errors = truth(grid, influx), []
    rows = grid.row_zone == 0
    for late in (1, 4, 40):
        said = members.answers(asked(grid, influx, late), daily, effects)
        assert np.isfinite(said[rows]).all()
        errors.append(np.abs(said[rows] - came[rows, None]).mean())
    assert errors == sorted(errors)


def test_each_ask_is_answered_as_if_alone(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    grid = grid_of()
    matrix = asked(grid, influx)
    whole = members.answers(matrix, daily, effects)
    for keep in (grid.ask_zone == 1, grid.ask_day % 2 == 0):
        part = matrix.take(keep)
        np.testing.assert_array_equal(
            members.answers(part, daily, effects), whole[keep[grid.row_ask]]
        )
    broken = replace(matrix, recent=np.where(grid.ask_zone[:, None] == 0, np.nan, matrix.recent))
    others = grid.row_zone != 0
    np.testing.assert_array_equal(members.answers(broken, daily, effects)[others], whole[others])


def test_nothing_is_said_where_nothing_is_known(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    grid = grid_of()
    matrix = asked(grid, influx)
    said = members.answers(matrix, daily, effects)
    assert np.isnan(said[grid.row_zone == 2]).all()
    silent = members.answers(asked(grid, influx, RECENT_DAYS), daily, effects)
    assert np.isnan(silent).all()
    unknown = replace(grid, ask_zone=np.full_like(grid.ask_zone, -1))
    assert np.isnan(members.answers(replace(matrix, grid=unknown), daily, effects)).all()
    assert np.isnan(members.answers(replace(matrix, recent=None), daily, effects)).all()
    yesterday = replace(grid, target_day=grid.target_day - HORIZON)
    before = yesterday.horizon < 0
    told = members.answers(replace(matrix, grid=yesterday), daily, effects)
    assert np.isnan(told[before]).all()
    assert np.isfinite(told[~before & (grid.row_zone == 0)]).all()
    none = matrix.take(np.zeros(len(grid.ask_zone), dtype=bool))
    assert members.answers(none, daily, effects).shape == (0, 2)


def test_without_effects_of_its_own_a_zone_is_told_by_its_influx_alone(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    grid = grid_of()
    borrowed = effects.copy()
    borrowed[0] = np.nan
    said = members.answers(asked(grid, influx), daily, borrowed)
    gate = grid.row_zone == 0
    assert np.isnan(said[gate, LEFT]).all()
    assert np.isfinite(said[gate, INFLUX]).all()


def test_a_place_that_was_shut_is_never_forecast_empty(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    """A blend of logs would take nothing for nothing whatever the other members say."""
    grid = grid_of()
    said = members.answers(asked(grid, np.zeros_like(influx)), daily, effects)
    known = grid.row_zone < 2
    assert (said[known] >= 0.0099 * members.centre[grid.row_zone[known], None]).all()


def test_too_few_days_teach_nothing(daily: Daily, influx: np.ndarray, effects: np.ndarray) -> None:
    few = influx.copy()
    few[:, : UNTIL - FIRST - 70] = np.nan
    members = fitted(daily, few, effects)
    assert members.boosters == ()
    grid = grid_of()
    assert np.isnan(members.answers(asked(grid, influx), daily, effects)).all()


def test_written_and_read_it_answers_the_same(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    matrix = asked(grid_of(), influx)
    again = Recursive.read(members.zone_ids, members.texts(), members.arrays())
    np.testing.assert_array_equal(
        again.answers(matrix, daily, effects), members.answers(matrix, daily, effects)
    )


def test_zones_may_be_asked_in_another_order(
    members: Recursive, daily: Daily, influx: np.ndarray, effects: np.ndarray
) -> None:
    turned = replace(daily, zone_ids=ZONES[::-1], group=daily.group[::-1])
    grid, other = grid_of(), grid_of(ZONES[::-1])
    said = members.answers(asked(grid, influx), daily, effects)
    told = members.answers(asked(other, influx[::-1]), turned, effects[::-1])
    for name in ZONES:
        np.testing.assert_array_equal(
            told[other.row_zone == ZONES[::-1].index(name)],
            said[grid.row_zone == ZONES.index(name)],
        )
