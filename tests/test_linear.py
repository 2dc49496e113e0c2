"""The linear partner: it finds the effects that were put in, and never peeks at its own day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.grid import day_number, make_grid
from forecast.linear import CalendarRidge, cross_fitted_steps
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


def test_a_zone_with_too_few_days_or_none_has_no_effect_known(
    partner: CalendarRidge, daily: Daily, territory: Territory
) -> None:
    assert not partner.effects(daily)[1].any()
    other = Daily.of(replace(territory, zone_ids=("elsewhere", "coast")), FIRST, LAST)
    effects = partner.effects(other)
    assert not effects[0].any()
    np.testing.assert_allclose(effects[1], partner.effects(daily)[0])


def test_no_effect_known_is_a_step_of_zero(partner: CalendarRidge, daily: Daily) -> None:
    grid = make_grid([pd.Timestamp("2025-08-12T06:00Z")], ("coast", "new"), range(6), "UTC")
    age = np.full(len(grid), 3, dtype=np.float32)
    steps = partner.steps(grid, age, daily)
    assert not steps[grid.row_zone == 1].any()
    effects = partner.effects(daily)[0]
    # The six Fridays before 15 August 2025, of which the newest known is the 8th.
    fridays = [day("2025-08-08") - 7 * k for k in range(6)]
    expected = effects[day("2025-08-15")] - effects[fridays].mean()
    assert steps[grid.row_zone == 0][3] == pytest.approx(expected)
    assert steps[grid.row_zone == 0][3] > 0.4


def test_a_day_has_no_part_in_the_step_it_is_trained_on(daily: Daily, influx: np.ndarray) -> None:
    origins = pd.date_range("2022-01-03T06:00Z", "2024-11-25T06:00Z", freq="28D")
    grid = make_grid(origins, ("coast", "new"), range(15), "UTC")
    age = np.full(len(grid), 3, dtype=np.float32)
    before = cross_fitted_steps(grid, age, daily, influx, UNTIL)
    target = int(grid.target_day[20])
    changed = influx.copy()
    changed[0, target - FIRST] *= 5
    after = cross_fitted_steps(grid, age, daily, changed, UNTIL)
    own = (grid.target_day == target) & (grid.row_zone == 0)
    other = (grid.row_zone == 0) & (np.abs(grid.target_day - target) > 600)
    assert own.any()
    np.testing.assert_array_equal(after[own], before[own])
    assert not np.array_equal(after[other], before[other])


def test_trend_goes_on_beyond_the_last_day(partner: CalendarRidge, daily: Daily) -> None:
    effects = partner.effects(daily)[0]
    june = [effects[day(f"{year}-06-02") : day(f"{year}-06-28")].mean() for year in (2023, 2024)]
    assert june[1] - june[0] == pytest.approx(0.1, abs=0.05)
    assert np.isfinite(effects).all()
