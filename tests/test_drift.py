"""The drift: what lately was beyond the calendar, robust, and nothing where nothing is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.drift import RECENT_DAYS, drift_of
from forecast.grid import Grid, make_grid

FIRST = 20_000
DAYS = 300


@pytest.fixture(scope="module")
def grid() -> Grid:
    origin = pd.Timestamp(0, tz="UTC") + pd.Timedelta(days=FIRST + 200, hours=6)
    return make_grid([origin], ("a", "b"), range(3), "UTC")


@pytest.fixture(scope="module")
def effects() -> np.ndarray:
    """Weekends are worth three times a weekday."""
    day = FIRST + np.arange(DAYS)
    return np.tile(np.where(day % 7 < 2, np.log(300.0), np.log(100.0)), (2, 1))


def recent_of(effects: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """The days before the origin, ``beyond`` their calendar; shape (asks, days)."""
    said = effects[:, 200 - np.arange(RECENT_DAYS)]
    return np.exp(said + beyond).astype(np.float32)


def test_a_steady_drift_is_found_whole(grid: Grid, effects: np.ndarray) -> None:
    found = drift_of(effects, FIRST, grid, recent_of(effects, np.array([[0.2], [-0.3]])))
    for line in (found.level, found.fast, found.slow):
        np.testing.assert_allclose(line, [0.2, -0.3], atol=1e-5)
    np.testing.assert_allclose(found.weekday, 0, atol=1e-5)


def test_the_fast_drift_follows_the_last_days_and_the_slow_one_does_not(
    grid: Grid, effects: np.ndarray
) -> None:
    lately = np.where(np.arange(RECENT_DAYS) < 5, 0.3, 0.0)
    found = drift_of(effects, FIRST, grid, recent_of(effects, lately))
    assert 0.3 > found.fast[0] > found.level[0] > found.slow[0] > 0


@pytest.mark.parametrize("age", [0, 2, 20])
def test_one_closed_day_moves_nothing(grid: Grid, effects: np.ndarray, age: int) -> None:
    closed = np.zeros(RECENT_DAYS)
    closed[age] = -5.0
    found = drift_of(effects, FIRST, grid, recent_of(effects, closed))
    np.testing.assert_allclose([found.level[0], found.fast[0], found.slow[0]], 0, atol=1e-6)


def test_an_odd_day_that_is_no_outlier_moves_the_level_little(
    grid: Grid, effects: np.ndarray
) -> None:
    odd = np.zeros(RECENT_DAYS)
    odd[2] = -0.9
    found = drift_of(effects, FIRST, grid, recent_of(effects, odd))
    assert -0.04 < found.level[0] < 0


def test_a_change_that_lasts_is_believed_on_its_fourth_day(grid: Grid, effects: np.ndarray) -> None:
    """A border that closes: three days are odd, and four are how things are."""
    fast = [
        drift_of(
            effects, FIRST, grid, recent_of(effects, np.where(np.arange(RECENT_DAYS) < n, -2.0, 0))
        ).fast[0]
        for n in (3, 4, 7)
    ]
    assert fast[0] == pytest.approx(0, abs=1e-6)
    assert fast[0] - 0.05 > fast[1] > fast[2] + 0.05


def test_a_weekday_that_changed_is_seen_and_drawn_towards_nothing(
    grid: Grid, effects: np.ndarray
) -> None:
    day = FIRST + 200 - np.arange(RECENT_DAYS)
    found = drift_of(effects, FIRST, grid, recent_of(effects, np.where(day % 7 == 3, 0.4, 0.0)))
    total = found.level[0] + found.weekday[0]
    assert 0.15 < total[3] < 0.4
    assert np.abs(np.delete(total, 3)).max() < 0.05


def test_days_unknown_or_empty_say_nothing(grid: Grid, effects: np.ndarray) -> None:
    recent = recent_of(effects, np.full(RECENT_DAYS, 0.2))
    recent[0, ::2], recent[1, :] = np.nan, 0.0
    found = drift_of(effects, FIRST, grid, recent)
    np.testing.assert_allclose([found.level[0], found.level[1]], [0.2, 0.0], atol=1e-5)
    assert not found.weekday[1].any()


def test_an_unknown_zone_has_no_calendar(grid: Grid, effects: np.ndarray) -> None:
    stranger = Grid(
        grid.zone_ids,
        grid.timezone,
        np.array([-1], dtype=np.int32),
        grid.ask_origin[:1],
        grid.ask_day[:1],
        np.array([0, 3]),
        grid.target_day[:3],
    )
    recent = np.full((1, RECENT_DAYS), np.exp(2.0), dtype=np.float32)
    assert drift_of(effects, FIRST, stranger, recent).level[0] == pytest.approx(2.0, abs=1e-5)
