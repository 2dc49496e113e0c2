"""The zone's own past: levels of ordinary days, and the year before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast import outliers
from forecast.features import Evidence, FeatureMatrix, build, kernels_history
from forecast.features.base import sample_rows
from forecast.features.history import SOURCE
from forecast.grid import day_number, grid_from_frame

FIRST = pd.Timestamp("2024-01-01")
DAYS = 880  # to 29 May 2026


def ask(world, influx: np.ndarray, origin: str, *targets: str) -> FeatureMatrix:
    zone = world.territory.zone_ids[0]
    rows = sample_rows(
        "influx", "influx", influx, zone_id=zone, first=str(FIRST.date()), delay_hours=6
    )
    questions = pd.DataFrame(
        {
            "zone_id": zone,
            "origin": pd.Timestamp(origin),
            "target_date": pd.DatetimeIndex(list(targets)),
        }
    )
    grid = grid_from_frame(questions, world.territory.zone_ids, world.territory.timezone)
    return build(grid, Evidence(rows, world.territory), [SOURCE])


@pytest.fixture
def weeks() -> np.ndarray:
    """A thousand on weekdays, two thousand on Saturdays and Sundays."""
    weekday = (day_number([FIRST])[0] + 3 + np.arange(DAYS)) % 7
    return np.where(weekday > 4, 2000.0, 1000.0)


def day(date: str) -> int:
    return (pd.Timestamp(date) - FIRST).days


def test_a_long_weekend_leaves_no_trace_in_the_level(world, weeks: np.ndarray) -> None:
    weeks[day("2026-05-14") : day("2026-05-18")] *= 3  # Ascension, with its bridge
    found = ask(world, weeks, "2026-05-19T06:00Z", "2026-05-20", "2026-05-23", "2026-05-28")
    assert found.column("history_level").tolist() == [1000, 2000, 1000]
    assert found.column("history_weekday_1").tolist() == [1, 3, 3]
    assert found.column("history_weekday_2").tolist() == [1, 1, 1]
    assert (found.column("history_age") == 1).all()


def test_a_day_of_storm_leaves_no_trace_in_level_or_anomaly(world, weeks: np.ndarray) -> None:
    weeks[day("2026-03-22")] = 500.0  # a Sunday of two thousand
    found = ask(world, weeks, "2026-03-23T06:00Z", "2026-03-24", "2026-03-29")
    assert found.column("history_level").tolist() == [1000, 2000]
    assert found.column("history_anomaly_7").tolist() == [1, 1]
    assert found.column("history_latest").tolist() == [0.25, 0.25]


def test_levels_and_drift_mean_the_same_by_an_outlier(world, weeks: np.ndarray) -> None:
    assert kernels_history._EMPTY == outliers.EMPTY
    for below, level in ((outliers.FAR - 0.01, np.exp(0.01 - outliers.FAR)), (1.01, 1)):
        weeks[day("2026-03-22")] = 2000 * np.exp(-below)
        found = ask(world, weeks, "2026-03-23T06:00Z", "2026-03-29")
        assert found.column("history_level") == pytest.approx([2000 * (5 + level) / 6])


def test_a_change_that_lasts_is_no_storm(world, weeks: np.ndarray) -> None:
    """After four weeks the median is a Sunday like those, and all six count as they are."""
    for week in range(4):
        weeks[day("2026-03-22") - 7 * week] = 500.0
    found = ask(world, weeks, "2026-03-23T06:00Z", "2026-03-29")
    assert found.column("history_level").tolist() == [1000]


def test_a_moving_feast_is_likened_to_itself(world, weeks: np.ndarray) -> None:
    weeks[day("2025-05-29") : day("2025-06-02")] *= 3  # Ascension of 2025, two weeks later
    found = ask(world, weeks, "2026-05-10T06:00Z", "2026-05-14", "2026-05-16", "2026-05-28")
    assert found.column("history_analogue").tolist() == [3, 3, 1]
    assert found.column("history_year_ago").tolist() == [1, 1, 3]


def test_a_day_before_all_that_is_known_is_likened_to_none(world, weeks: np.ndarray) -> None:
    found = ask(world, weeks, "2026-05-20T06:00Z", "2023-03-10", "2023-05-18", "2024-01-05")
    for name in ("year_ago", "analogue", "season_step", "season_ratio"):
        assert np.isnan(found.column(f"history_{name}")).all()
    assert (found.column("history_level") == 1000).all()
    # However long what is known: a little over a year here.
    found = ask(world, weeks[:400], "2025-02-04T06:00Z", "2023-12-22", "2023-12-28")
    assert np.isnan(found.column("history_analogue")).all()


def test_a_weekday_without_visitors_does_not_blow_ratios_up(world, weeks: np.ndarray) -> None:
    weeks[weeks == 2000] = 0.01
    found = ask(world, weeks, "2026-05-20T06:00Z", "2026-05-23", "2026-05-21")
    mean = found.column("history_mean_56")[0]
    assert found.column("history_level") == pytest.approx([1000, 0.1 * mean])
    assert found.column("history_weekday_shape")[1] == pytest.approx(10)
