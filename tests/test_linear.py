"""The linear partner: it finds the effects that were put in, and never peeks at its own day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.cross_fitting import cross_fitted
from forecast.daily import Daily
from forecast.drift import RECENT_DAYS
from forecast.errors import ModelError
from forecast.grid import day_number, make_grid
from forecast.linear import CalendarRidge
from forecast.matrix import FeatureMatrix
from forecast.territory import Territory

FIRST, LAST = (int(day) for day in day_number(["2021-01-01", "2025-12-31"]))
UNTIL = int(day_number(["2024-12-31"])[0])


@pytest.fixture(scope="module")
def territory() -> Territory:
    zones = [
        {"id": name, "name": name, "population": 100, "latitude": 49.4, "longitude": 0.1}
        for name in ("coast", "new")
    ]
    return RunConfig(id="essai", name="Essai", school="Zone B", zones=zones).territory()


@pytest.fixture(scope="module")
def daily(territory: Territory) -> Daily:
    return Daily.of(territory, FIRST, LAST)


@pytest.fixture(scope="module")
def influx(daily: Daily) -> np.ndarray:
    """Saturdays half as much again, holidays double, 10 % more every year; a zone just begun."""
    saturday = daily.column("weekday", 0) == 5
    holiday = daily.column("holiday", 0) > 0
    years = (np.arange(daily.days) + FIRST - UNTIL) / 365.25
    line = 1000 * np.exp(0.4 * saturday + 0.7 * holiday + 0.1 * years)
    lines = np.stack([line, line])
    lines[1, :-400] = np.nan
    lines[:, UNTIL - FIRST + 1 :] = np.nan
    lines[1, UNTIL - FIRST - 29 :] = np.nan
    lines[1, UNTIL - FIRST - 58 : UNTIL - FIRST - 29] = 50.0
    return lines


@pytest.fixture(scope="module")
def partner(daily: Daily, influx: np.ndarray) -> CalendarRidge:
    return CalendarRidge.fit(daily, influx, UNTIL)


def day(text: str) -> int:
    return int(day_number([text])[0]) - FIRST


def test_effects_are_found_in_a_year_that_was_not_seen(
    partner: CalendarRidge, daily: Daily
) -> None:
    effects = partner.effects(daily)[0]
    assert effects[day("2025-06-14")] - effects[day("2025-06-17")] == pytest.approx(0.4, abs=0.06)
    assumption, fridays = effects[day("2025-08-15")], effects[day("2025-08-22")]
    assert assumption - fridays == pytest.approx(0.7, abs=0.25)
    spring = np.exp(effects[day("2025-03-01") : day("2025-04-01")]).mean()
    assert 1000 < spring < 1300


def test_a_zone_with_too_few_days_or_none_borrows_the_effects_of_the_others(
    partner: CalendarRidge, daily: Daily, territory: Territory
) -> None:
    coast, new = partner.effects(daily)
    np.testing.assert_allclose(new, coast - partner.coefficients[0, -1])
    other = Daily.of(replace(territory, zone_ids=("elsewhere", "coast")), FIRST, LAST)
    np.testing.assert_allclose(partner.effects(other), [new, coast])
    nobody = CalendarRidge(("coast",), np.zeros_like(partner.coefficients[:1]), UNTIL)
    assert not nobody.effects(daily).any()


def test_a_borrowed_calendar_starts_from_the_zone_s_own_days(
    partner: CalendarRidge, daily: Daily, influx: np.ndarray
) -> None:
    begun = influx.copy()
    begun[1] = 0.02 * np.exp(partner.effects(daily)[0])
    matrix = asked(begun, "2025-08-12T06:00Z")
    said = partner.say(matrix, np.full(len(matrix.grid), 30.0), daily)
    expected = 0.02 * np.exp(partner.effects(daily)[0, day("2025-08-15")])
    assert 30 * np.exp(said[0, 9]) == pytest.approx(expected, rel=0.02)


def asked(influx: np.ndarray, *origins: str, horizons: range = range(6)) -> FeatureMatrix:
    """Questions that know the influx up to the day before their origin."""
    grid = make_grid(map(pd.Timestamp, origins), ("coast", "new"), horizons, "UTC")
    position = grid.ask_day[:, None] - FIRST - np.arange(RECENT_DAYS)
    recent = influx[grid.ask_zone[:, None], np.maximum(position, 0)].astype(np.float32)
    recent[:, 0] = np.nan
    recent[position < 0] = np.nan
    return FeatureMatrix(grid, (), np.empty((0, len(grid)), dtype=np.float32), recent=recent)


def test_the_step_leads_from_the_level_to_the_day(
    partner: CalendarRidge, daily: Daily, influx: np.ndarray
) -> None:
    """In a month a tenth better than its calendar, 15 August is worth a tenth more too."""
    better = influx.copy()
    better[0, day("2025-06-01") :] = 1.1 * np.exp(partner.effects(daily)[0])[day("2025-06-01") :]
    matrix = asked(better, "2025-08-12T06:00Z")
    level = np.where(matrix.grid.row_zone == 0, 1500.0, 50.0)
    said = partner.say(matrix, level, daily)
    expected = 1.1 * np.exp(partner.effects(daily)[0, day("2025-08-15")])
    assert 1500 * np.exp(said[0, 3]) == pytest.approx(expected, rel=0.01)
    assert np.abs(said[1:, :6]).max() < 0.01
    # The zone just begun has no effect known: the day is worth its level.
    assert not said[:, matrix.grid.row_zone == 1].any()
    # Whatever the level is that the step starts from, it leads to the same influx.
    other = partner.say(matrix, 2 * level, daily)
    np.testing.assert_allclose(said[0, :6] - other[0, :6], np.log(2))


def test_without_recent_days_the_calendar_alone_answers(
    partner: CalendarRidge, daily: Daily, influx: np.ndarray
) -> None:
    matrix = asked(np.full_like(influx, np.nan), "2025-08-12T06:00Z")
    level = np.full(len(matrix.grid), 1500.0)
    said = partner.say(matrix, level, daily)
    target = slice(day("2025-08-12"), day("2025-08-18"))
    np.testing.assert_allclose(
        1500 * np.exp(said[0, :6]), np.exp(partner.effects(daily)[0, target])
    )


def test_a_matrix_without_recent_influx_is_refused(partner: CalendarRidge, daily: Daily) -> None:
    grid = make_grid([pd.Timestamp("2025-08-12T06:00Z")], ("coast", "new"), range(2), "UTC")
    matrix = FeatureMatrix(grid, (), np.empty((0, len(grid)), dtype=np.float32))
    with pytest.raises(ModelError, match="build it with every source"):
        partner.say(matrix, np.ones(len(grid)), daily)


def test_a_storm_moves_the_effects_little(
    partner: CalendarRidge, daily: Daily, influx: np.ndarray
) -> None:
    stormy = influx.copy()
    days = [day(text) for text in ("2024-03-05", "2024-06-11", "2024-09-10", "2024-11-05")]
    stormy[0, days] *= 0.05
    moved = CalendarRidge.fit(daily, stormy, UNTIL).effects(daily) - partner.effects(daily)
    tuesdays = daily.column("weekday", 0) == 1
    assert np.abs(moved[0, tuesdays]).mean() < 0.02


def test_a_feast_that_came_once_is_believed(daily: Daily, influx: np.ndarray) -> None:
    """Half the effect at least is learnt from one day; a plain ridge would keep a quarter."""
    once = influx.copy()
    once[0, : day("2023-12-01")] = np.nan
    effects = CalendarRidge.fit(daily, once, UNTIL).effects(daily)[0]
    usual = effects[day("2025-08-08") : day("2025-08-15")].mean()
    assert effects[day("2025-08-15")] - usual > 0.35


def test_a_day_has_no_part_in_the_step_it_is_trained_on(daily: Daily, influx: np.ndarray) -> None:
    origins = pd.date_range("2022-01-03T06:00Z", "2024-11-25T06:00Z", freq="28D").astype(str)
    matrix = asked(influx, *origins, horizons=range(15))
    grid, level = matrix.grid, np.full(len(matrix.grid), 1000.0)
    before, effects = cross_fitted(matrix, level, daily, influx, UNTIL)
    target = int(grid.target_day[20])
    changed = influx.copy()
    changed[0, target - FIRST] *= 5
    after, effects_after = cross_fitted(matrix, level, daily, changed, UNTIL)
    own = (grid.target_day == target) & (grid.row_zone == 0)
    other = (grid.row_zone == 0) & (np.abs(grid.target_day - target) > 600)
    assert own.any()
    np.testing.assert_array_equal(after[:, own], before[:, own])
    assert not np.array_equal(after[:, other], before[:, other])
    day = target - FIRST
    np.testing.assert_array_equal(effects_after[0, day], effects[0, day])
    assert (effects_after[0, day + 600 :] != effects[0, day + 600 :]).any()


def test_of_a_short_history_the_effects_of_later_days_are_those_a_forecast_would_have(
    daily: Daily, influx: np.ndarray
) -> None:
    """Fifteen months: what came after a day of the last three has no part in its effects."""
    short = influx.copy()
    short[:, : day("2023-10-01")] = np.nan
    matrix = asked(short, "2024-07-01T06:00Z", "2024-11-25T06:00Z", horizons=range(15))
    level = np.full(len(matrix.grid), 1000.0)
    before, effects = cross_fitted(matrix, level, daily, short, UNTIL)
    changed, late = short.copy(), day("2024-11-06")
    changed[0, late] *= 5
    after, moved = cross_fitted(matrix, level, daily, changed, UNTIL)
    same = moved[0] == effects[0]
    assert same[day("2024-09-30") : day("2024-11-25")].all()
    assert not same[day("2024-11-25") : day("2025-01-01")].any()
    # In the first year ridges know what came since, and so do all that answer questions.
    assert not same[day("2023-10-01") : day("2024-09-30")].any()
    grid = matrix.grid
    summer = (grid.row_zone == 0) & (grid.target_day < FIRST + day("2024-08-01"))
    assert (after[0, summer] != before[0, summer]).all()


def test_a_zone_begun_in_the_second_year_has_effects_from_its_first_day_on(
    daily: Daily, influx: np.ndarray
) -> None:
    """Before it no ridge knows it, but one of the other fifths does."""
    short = np.stack([influx[0], influx[0]])
    short[:, : day("2023-02-01")] = np.nan
    short[1, : day("2024-03-07")] = np.nan
    matrix = asked(short, "2024-11-25T06:00Z")
    _, effects = cross_fitted(matrix, np.full(len(matrix.grid), 1000.0), daily, short, UNTIL)
    assert np.isfinite(effects[:, day("2024-03-07") : UNTIL - FIRST + 1]).all()


def test_trend_goes_on_beyond_the_last_day(partner: CalendarRidge, daily: Daily) -> None:
    effects = partner.effects(daily)[0]
    june = [effects[day(f"{year}-06-02") : day(f"{year}-06-28")].mean() for year in (2023, 2024)]
    assert june[1] - june[0] == pytest.approx(0.1, abs=0.05)
    assert np.isfinite(effects).all()
