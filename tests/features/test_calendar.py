from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.features.base import Evidence, Floats
from forecast.features.calendar import SOURCE
from forecast.grid import Grid, grid_from_frame, make_grid
from forecast.tables import OBSERVATIONS, check
from forecast.territory import Territory

PARIS = "Europe/Paris"


@pytest.fixture(scope="module")
def territory() -> Territory:
    zone = {"population": 1000, "latitude": 49.5, "longitude": 0.1}
    return RunConfig.model_validate(
        {
            "id": "t",
            "name": "T",
            "school": "Zone B",
            "zones": [
                {"id": "a", "name": "A", **zone},
                {"id": "b", "name": "B", **zone, "country": "BE", "school": "French"},
                {"id": "c", "name": "C", **zone, "latitude": 44.0},
            ],
            "origin_markets": [
                {"country": "FR", "school": "Zone C", "share": 0.75},
                {"country": "BE", "school": "French", "share": 0.25},
            ],
        }
    ).territory()


def answer(grid: Grid, territory: Territory) -> Floats:
    out = np.full((len(SOURCE.features), len(grid)), np.nan, dtype=np.float32)
    SOURCE.fill(grid, Evidence(pd.DataFrame(), territory), out)
    return out


def named(column: str, values: Floats) -> Floats:
    return values[[feature.name for feature in SOURCE.features].index(column)]


def test_the_national_day_of_each_home(territory: Territory) -> None:
    grid = make_grid([pd.Timestamp("2026-07-13T22:30Z")], ["a", "b"], [0, 7], PARIS)
    found = answer(grid, territory)  # 14 July, local; then 21 July
    assert named("holiday", found).tolist() == [1, 0, 0, 1]
    assert named("after", found).tolist() == [0, 0, 0, 0]
    assert named("holiday_share", found).tolist() == [0.75, 0.25, 0.75, 0.25]
    # Both fall on a Tuesday; three visitors in four are French, so their runs fill both zones.
    assert named("run_length", found).tolist() == [4, 0, 4, 0]
    assert named("horizon_days", found).tolist() == [0, 7, 0, 7]
    assert named("origin_weekday", found).tolist() == [1, 1, 1, 1]
    assert named("weekday", found).tolist() == [1, 1, 1, 1]
    assert named("month", found).tolist() == [7, 7, 7, 7]


def test_days_are_longer_in_summer_in_the_north(territory: Territory) -> None:
    grid = make_grid([pd.Timestamp("2026-06-21T06:00Z")], ["a", "b", "c"], [0], PARIS)
    daylight = named("daylight", answer(grid, territory))
    assert daylight[0] - daylight[2] == pytest.approx(0.85, abs=0.15)


def test_one_question_is_answered_as_among_others(territory: Territory) -> None:
    origins = pd.date_range("2024-01-03T06:00Z", periods=60, freq="11D")
    grid = make_grid(origins, territory.zone_ids, range(15), PARIS)
    whole, frame = answer(grid, territory), grid.frame()
    for row in np.linspace(0, len(grid) - 1, 23).astype(int):
        alone = grid_from_frame(frame.iloc[[row]], territory.zone_ids, PARIS)
        np.testing.assert_array_equal(answer(alone, territory)[:, 0], whole[:, row])


def test_a_zone_unknown_gets_no_answer_and_disturbs_no_other(territory: Territory) -> None:
    frame = pd.DataFrame(
        {
            "zone_id": ["elsewhere", "a"],
            "origin": pd.DatetimeIndex(["2026-05-13T06:00Z"] * 2),
            "target_date": pd.DatetimeIndex(["2026-05-14"] * 2),
        }
    )
    found = answer(grid_from_frame(frame, territory.zone_ids, PARIS), territory)
    assert np.isnan(found[:, 0]).all()
    assert named("holiday", found)[1] == 1


def test_school_columns_are_empty_beyond_their_calendars(territory: Territory) -> None:
    grid = make_grid([pd.Timestamp("2034-07-20T06:00Z")], ["a"], range(5), PARIS)
    found = answer(grid, territory)
    for column in ("school_home", "school_share", "school_day", "school_left"):
        assert np.isnan(named(column, found)).all()
    assert np.isfinite(named("to_holiday", found)).all()


def test_no_column_depends_on_the_year(territory: Territory) -> None:
    """1 July 2024 and 2030 are Mondays alike, far from any movable feast."""
    columns = ["weekday", "month", "holiday", "to_holiday", "run_to", "daylight", "season_sin_1"]
    earlier, later = (
        answer(make_grid([pd.Timestamp(when)], ["a"], [0], PARIS), territory)
        for when in ("2024-07-01T06:00Z", "2030-07-01T06:00Z")
    )
    for column in columns:
        assert named(column, earlier)[0] == pytest.approx(named(column, later)[0], abs=0.02)


def test_no_question_no_answer(territory: Territory) -> None:
    grid = make_grid(pd.DatetimeIndex([], tz="UTC"), territory.zone_ids, range(15), PARIS)
    assert answer(grid, territory).shape == (len(SOURCE.features), 0)


def test_no_observation_is_read() -> None:
    assert SOURCE.reads == {}
    assert check(SOURCE.sample(), OBSERVATIONS).empty
